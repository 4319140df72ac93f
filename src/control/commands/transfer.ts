export const transferCommands = {};
