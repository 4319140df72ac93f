import type { featureFlagCommands } from "../../../control/commands/feature-flags.ts";
import type { OperationsOf } from "../operation.ts";

export const featureFlagOperations: OperationsOf<typeof featureFlagCommands> = {};
