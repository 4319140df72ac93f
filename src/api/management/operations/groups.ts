import type { groupCommands } from "../../../control/commands/groups.ts";
import type { OperationsOf } from "../operation.ts";

export const groupOperations: OperationsOf<typeof groupCommands> = {};
