import type { tokenCommands } from "../../../control/commands/tokens.ts";
import type { OperationsOf } from "../operation.ts";

export const tokenOperations: OperationsOf<typeof tokenCommands> = {};
