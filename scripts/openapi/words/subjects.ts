import type { Topic } from "../operation-words.ts";

export const subjects: Topic = {
  name: "Subjects",
  description: "What is known of single devices and users.",
  operations: {
    delete_subject: {
      summary: "Forget a subject",
      description: `Deletes what the ledger knows of a device, a user or both, in every experiment, as if it had never been counted, with what is known of their belonging together; and a user's entries in the log. Answers what there was, once it is gone; asked again, nothing. What is still on its way through the queue is counted when it comes: ask again an hour after the subject's last visit. Members of cohorts and individual inclusions are configuration, and stay. A pasted device cookie is read as the id in it; another cookie, or part of one, is refused.`,
      commits: false,
      answer: "Forgotten",
      refusals: ["ledger_unavailable"],
    },
  },
};
