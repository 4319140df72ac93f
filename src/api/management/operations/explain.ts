import type { explainCommands } from "../../../control/commands/explain.ts";
import type { OperationsOf } from "../operation.ts";

export const explainOperations: OperationsOf<typeof explainCommands> = {};
