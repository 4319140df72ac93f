import type { transferCommands } from "../../../control/commands/transfer.ts";
import type { OperationsOf } from "../operation.ts";

export const transferOperations: OperationsOf<typeof transferCommands> = {};
