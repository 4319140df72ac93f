export const publicationCommands = {};
