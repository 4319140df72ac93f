export const tokenCommands = {};
