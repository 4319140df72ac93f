/** One question of the diagnosis, and what was found. */
import type { Thresholds } from "../model/diagnosis-thresholds.ts";

export const checkStatuses = ["not_applicable", "insufficient_data", "pass", "warn", "fail"] as const;
export type CheckStatus = (typeof checkStatuses)[number];

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** As it is answered. */
export interface CheckResult {
  id: string;
  status: CheckStatus;
  title: string;
  /** What was found, in a sentence. */
  detail: string;
  /** The counts behind it. */
  evidence: { readonly [name: string]: Json };
  /** Of the thresholds, those it went by. */
  threshold: Partial<Thresholds>;
  /** What to do; empty where there is nothing. */
  fix: string;
}

export interface Finding {
  status: CheckStatus;
  detail: string;
  evidence?: CheckResult["evidence"];
  /** Where it is not the check's. */
  fix?: string;
}

export const noLedger: Finding = { status: "insufficient_data", detail: "The ledger cannot be reached." };

export interface Check<Scene> {
  id: string;
  title: string;
  thresholds?: readonly (keyof Thresholds)[];
  /** What to do where it warns or fails. */
  fix: string;
  find(scene: Scene): Finding;
  /** Ids of checks that, where they fail, account for what this one has found: one fault, one failure. */
  yieldsTo?: (finding: Finding) => readonly string[];
}

/** Runs the checks, in their order. */
export function runChecks<Scene extends { thresholds: Thresholds }>(
  checks: readonly Check<Scene>[],
  scene: Scene,
): CheckResult[] {
  const findings = checks.map((check) => ({ check, finding: check.find(scene) }));
  const failed = new Set(findings.flatMap(({ check, finding }) => (finding.status === "fail" ? check.id : [])));
  return findings.map(({ check, finding }) => {
    const { id, title, thresholds = [], yieldsTo } = check;
    const cause = finding.status === "fail" ? yieldsTo?.(finding).find((other) => failed.has(other)) : undefined;
    const status = cause === undefined ? finding.status : "warn";
    const because = findings.find((other) => other.check.id === cause)?.check.title;
    return {
      id,
      status,
      title,
      detail: because === undefined ? finding.detail : `${finding.detail} "${because}" accounts for it.`,
      evidence: finding.evidence ?? {},
      threshold: Object.fromEntries(thresholds.map((name) => [name, scene.thresholds[name]])),
      fix: status === "warn" || status === "fail" ? (finding.fix ?? check.fix) : "",
    };
  });
}

/** For prose: 0.0123 → "1.2%". */
export function percent(share: number): string {
  const hundred = share * 100;
  const digits = hundred !== 0 && Math.abs(hundred) < 1 ? 2 : 1;
  return `${hundred.toFixed(digits).replace(/\.0+$/, "")}%`;
}

/** For prose: three digits, or the power of ten where they would all be zeros. */
export function pValue(p: number): string {
  if (p >= 0.001) return p.toFixed(3);
  return p < 1e-300 ? "below 1e-300" : p.toExponential(1);
}
