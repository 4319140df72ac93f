export const variationCommands = {};
