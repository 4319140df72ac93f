export const explainCommands = {};
