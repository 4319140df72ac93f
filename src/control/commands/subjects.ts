/** What is known of subjects is the ledger's and the log's: here it is only said whether it may be deleted. */
export const subjectCommands = {
  delete_subject() {},
};
