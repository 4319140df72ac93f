import type { variationCommands } from "../../../control/commands/variations.ts";
import type { OperationsOf } from "../operation.ts";

export const variationOperations: OperationsOf<typeof variationCommands> = {};
