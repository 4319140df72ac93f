import type { Topic } from "../operation-words.ts";

export const changes: Topic = {
  name: "Changes",
  description: "The change log: who changed what, when, from what to what.",
  operations: {
    get_changes: {
      summary: "List changes",
      description: "Page by page, the newest first. Filters are exact; several must all match.",
      answer: "ChangePage",
      refusals: [],
    },
  },
};
