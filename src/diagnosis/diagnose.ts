/** From evidence to what is wrong with an experiment, and what to do. No I/O, no clock. */
import type { Thresholds } from "../model/diagnosis-thresholds.ts";
import { type CheckResult, runChecks } from "./check.ts";
import type { Evidence } from "./scene.ts";
import { setupChecks } from "./setup/checks.ts";
import { srmChecks } from "./srm/checks.ts";
import { trafficChecks } from "./traffic/checks.ts";

export interface Diagnosis {
  traffic: CheckResult[];
  setup: CheckResult[];
  srm: CheckResult[];
  /** Id of the check that fails first: of the sample ratio, of the traffic, of the set-up. */
  leading: string | null;
}

export function diagnose(evidence: Evidence, thresholds: Thresholds): Diagnosis {
  const scene = { ...evidence, thresholds };
  const traffic = runChecks(trafficChecks, scene);
  const setup = runChecks(setupChecks, scene);
  const srm = runChecks(srmChecks, scene);
  const leading = [...srm, ...traffic, ...setup].find(({ status }) => status === "fail")?.id ?? null;
  return { traffic, setup, srm, leading };
}
