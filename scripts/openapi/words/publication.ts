import type { Topic } from "../operation-words.ts";

export const publication: Topic = {
  name: "Publication",
  description: "What the edge goes by.",
  operations: {
    get_snapshot: {
      summary: "Get the snapshot",
      description: "The configuration as it is, or will be, at the edge; what is published, and what is still pending.",
      answer: "Publication",
      refusals: [],
    },
  },
};
