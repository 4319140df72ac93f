import type { explainCommands } from "../../../control/commands/explain.ts";
import { explainQuerySchema } from "../../../model/explain-query.ts";
import { askMemberships } from "../cohort-status.ts";
import type { OperationsOf } from "../operation.ts";

export const explainOperations: OperationsOf<typeof explainCommands> = {
  explain: {
    method: "GET",
    path: "/explain",
    scope: "read:experimentation",
    query: explainQuerySchema,
    ask: askMemberships,
    success: 200,
  },
};
