export const deploymentCommands = {};
