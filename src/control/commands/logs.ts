/** Entries are the logbook's: here it is only said whether it may be asked for them. */
export const logCommands = {
  get_logs() {},
  get_log() {},
};
