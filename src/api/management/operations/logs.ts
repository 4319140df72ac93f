import type { logCommands } from "../../../control/commands/logs.ts";
import { findEntries, getEntry, logQuerySchema } from "../log-entries.ts";
import type { OperationsOf } from "../operation.ts";

export const logOperations: OperationsOf<typeof logCommands> = {
  get_logs: {
    method: "GET",
    path: "/logs",
    scope: "read:experimentation",
    query: logQuerySchema,
    step: findEntries,
    success: 200,
  },
  get_log: { method: "GET", path: "/logs/:log_id", scope: "read:experimentation", step: getEntry, success: 200 },
};
