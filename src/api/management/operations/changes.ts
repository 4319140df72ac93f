import type { changeCommands } from "../../../control/commands/changes.ts";
import { changeQuerySchema } from "../../../model/change.ts";
import type { OperationsOf } from "../operation.ts";

export const changeOperations: OperationsOf<typeof changeCommands> = {
  get_changes: {
    method: "GET",
    path: "/changes",
    scope: "read:experimentation",
    query: changeQuerySchema,
    success: 200,
  },
};
