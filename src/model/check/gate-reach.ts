/** Where a flag is enabled, as far as it decides what an experiment on it can reach. */
import { gateDeployment } from "../deployment.ts";
import type { FeatureFlag } from "../feature-flag.ts";

type Enabled = Pick<FeatureFlag, "deployments">;

export const isEnabledAtGate = ({ deployments }: Enabled): boolean => deployments.includes(gateDeployment);

export const isEnabledForApps = ({ deployments }: Enabled): boolean => deployments.some((id) => id !== gateDeployment);
