import type { Topic } from "../operation-words.ts";

export const tokens: Topic = {
  name: "Tokens",
  description: "Access to this API, with scopes and an expiry, to be taken back at any time.",
  operations: {
    get_tokens: {
      summary: "List tokens",
      description: "Page by page, in the order they were made; never the tokens themselves.",
      answer: "TokenPage",
      refusals: [],
    },
    create_token: {
      summary: "Create a token",
      description:
        "The token is shown in this answer and never again. Nobody can hand out a scope that they do not have themselves.",
      answer: "TokenMade",
      refusals: ["token_name_taken"],
    },
    get_token: {
      summary: "Get a token",
      description: "What a token allows, not the token itself.",
      answer: "Token",
      refusals: ["token_not_found"],
    },
    delete_token: {
      summary: "Revoke a token",
      description: "From the next request on it is nobody's. Deleting what is not there succeeds too.",
      refusals: [],
    },
  },
};
