import type { experimentCommands } from "../../../control/commands/experiments.ts";
import type { OperationsOf } from "../operation.ts";

export const experimentOperations: OperationsOf<typeof experimentCommands> = {};
