import type { Topic } from "../operation-words.ts";

export const caller: Topic = {
  name: "Caller",
  description: "Who asks.",
  operations: {
    get_caller: {
      summary: "Get the caller",
      description: "Who the token makes one, what it allows, and of which tenant.",
      answer: "Caller",
      refusals: [],
    },
  },
};
