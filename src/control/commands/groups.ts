export const groupCommands = {};
