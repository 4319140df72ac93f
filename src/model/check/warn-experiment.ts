/** What does not keep an experiment from running, but is probably not meant so. */
import type { Experiment } from "../experiment.ts";
import type { FeatureFlag } from "../feature-flag.ts";
import type { FlowName } from "../flow.ts";
import { flagOf, type Resources, variationsOf } from "../resources.ts";
import { variationConfig } from "../variation.ts";
import { isEnabledAtGate, isEnabledForApps } from "./gate-reach.ts";

export const validationWarningCodes = [
  "experiment_user_not_verifiable",
  "authentication_flow_without_pages",
  "experiment_config_too_large",
  "experiment_single_variation",
] as const;

export interface ValidationWarning {
  code: (typeof validationWarningCodes)[number];
  message: string;
  /** The experiment's field: `allocations[1].variation_id`. */
  path: string;
}

/**
 * A config as base64url JSON that is stamped for certain, where one experiment is stamped, in headers alone. The gate keeps
 * its headers under 4 KiB and leaves a larger config out, of every variation alike: a stamp that differs in size by
 * variation could break requests of one variation only.
 */
export const maxStampedConfigCharacters = 2_400;

export interface WarningOptions {
  verifiesUsers: boolean;
  gateFlows: readonly FlowName[];
}

type Report = (code: ValidationWarning["code"], path: string, message: string) => void;

/** @param experiment one of `resources` */
export function warnAboutExperiment(
  experiment: Experiment,
  resources: Resources,
  { verifiesUsers, gateFlows }: WarningOptions,
): ValidationWarning[] {
  const warnings: ValidationWarning[] = [];
  const report: Report = (code, path, message) => void warnings.push({ code, message, path });
  const flag = flagOf(experiment, resources);
  if (flag !== undefined && isEnabledAtGate(flag)) {
    if (!verifiesUsers) warnAboutUsers(experiment, flag, report);
    warnAboutFlow(experiment, gateFlows, report);
    warnAboutConfigs(experiment, flag, resources, report);
  }
  warnAboutVariations(experiment, report);
  return warnings;
}

/** Where apps do not fetch the flag it is an error. */
function warnAboutUsers({ assignment_config }: Experiment, flag: FeatureFlag, report: Report): void {
  if (assignment_config.subject !== "user" || !isEnabledForApps(flag)) return;
  const message = "only apps will assign: the gate cannot verify users until `user` is set in TENANTS";
  report("experiment_user_not_verifiable", "assignment_config.subject", message);
}

function warnAboutFlow(
  { authentication_flow: flow }: Experiment,
  gateFlows: readonly FlowName[],
  report: Report,
): void {
  if (flow === "all" || gateFlows.includes(flow)) return;
  const message = `no page at the gate belongs to the flow ${flow}: set \`pages\` in TENANTS, or choose one of ${[...gateFlows, "all"].join(", ")}`;
  report("authentication_flow_without_pages", "authentication_flow", message);
}

/** Forced variations are stamped too, so that those without an allocation count. */
function warnAboutConfigs({ allocations }: Experiment, flag: FeatureFlag, resources: Resources, report: Report): void {
  const encoder = new TextEncoder();
  for (const variation of variationsOf(flag, resources)) {
    const bytes = encoder.encode(JSON.stringify(variationConfig(flag, variation))).length;
    const characters = Math.ceil((bytes * 4) / 3);
    if (characters <= maxStampedConfigCharacters) continue;
    const index = allocations.findIndex(({ variation_id }) => variation_id === variation.id);
    const path = index < 0 ? "feature_flag_id" : `allocations[${index}].variation_id`;
    const message = `the config of variation "${variation.name}" takes ${characters} characters in x-experiment-config, and at most ${maxStampedConfigCharacters} fit: the gate sends no variation's config, only ids`;
    report("experiment_config_too_large", path, message);
  }
}

function warnAboutVariations({ allocation_strategy, allocations }: Experiment, report: Report): void {
  const assigned = allocations.filter(({ weight = 0 }) => allocation_strategy === "segment" || weight > 0);
  if (new Set(assigned.map(({ variation_id }) => variation_id)).size !== 1) return;
  const message = "only one variation can be assigned, so that there is nothing to compare: allocate a second one";
  report("experiment_single_variation", "allocations", message);
}
