/** Where a flag is enabled, as far as it decides what an experiment on it can reach. */
import { gateDeployment } from "../deployment.ts";

interface Enabled {
  deployments: readonly string[];
}

export const isEnabledAtGate = ({ deployments }: Enabled): boolean => deployments.includes(gateDeployment);

export const isEnabledForApps = ({ deployments }: Enabled): boolean => deployments.some((id) => id !== gateDeployment);
