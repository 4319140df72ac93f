import type { callerCommands } from "../../../control/commands/caller.ts";
import type { OperationsOf } from "../operation.ts";

export const callerOperations: OperationsOf<typeof callerCommands> = {
  get_caller: { method: "GET", path: "/caller", scope: "read:experimentation", success: 200 },
};
