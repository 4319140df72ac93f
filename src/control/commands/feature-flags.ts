export const featureFlagCommands = {};
