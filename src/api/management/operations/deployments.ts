import type { deploymentCommands } from "../../../control/commands/deployments.ts";
import type { OperationsOf } from "../operation.ts";

export const deploymentOperations: OperationsOf<typeof deploymentCommands> = {};
