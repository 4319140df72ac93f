export const changeCommands = {};
