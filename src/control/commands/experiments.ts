export const experimentCommands = {};
