import type { changeCommands } from "../../../control/commands/changes.ts";
import type { OperationsOf } from "../operation.ts";

export const changeOperations: OperationsOf<typeof changeCommands> = {};
