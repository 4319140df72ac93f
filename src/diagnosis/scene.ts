/** All that the checks look at. Where a source could not be reached it is null, and what hangs on it says so. */
import type { CohortStatus } from "../model/cohort.ts";
import type { Thresholds } from "../model/diagnosis-thresholds.ts";
import type { Epoch } from "../model/epoch-history.ts";
import type { ExperimentRecord } from "../model/experiment-record.ts";
import type { Cell, LedgerCounts } from "../model/ledger-counts.ts";
import type { LoginEntryType } from "../model/log-entry.ts";
import type { Verdict } from "./split.ts";

/** From when to when an analyst looks; both ends may be open. */
export interface AnalysisWindow {
  from?: string;
  to?: string;
}

/** How an experiment's split has stood at the last look. */
export interface KeptVerdict {
  experiment_id: string;
  verdict: Verdict;
}

export interface LogCounts {
  /** Entries of a warning's code in the last `breaker_hours`, and in the last day. */
  lately: Readonly<Record<string, number>>;
  day: Readonly<Record<string, number>>;
  /** Logins that ended in the last day under this experiment, forced ones aside, and under none. */
  outcomes: LoggedOutcomes;
  unassigned: LoggedOutcomes;
}

/** By entry type. Pass-throughs are entries of type `s`; here they are counted apart, as in the ledger. */
export type LoggedOutcomes = Readonly<Record<LoginEntryType | "pass_throughs", number>>;

export interface Evidence {
  record: ExperimentRecord;
  /** Of the whole experiment. */
  counts: LedgerCounts | null;
  window: AnalysisWindow | null;
  /** Of the units seen in the window; null without one. */
  windowed: LedgerCounts | null;
  log: LogCounts | null;
  /** By id; null where the cohorts could not be asked. */
  cohorts: Readonly<Record<string, Pick<CohortStatus, "refreshed_at" | "error" | "failures">>> | null;
  /** Of other experiments. */
  verdicts: readonly KeptVerdict[] | null;
  nowMs: number;
}

export interface Scene extends Evidence {
  thresholds: Thresholds;
}

/** Units that were assigned by hash: what statistics are about. */
export function baseOf({ cells }: LedgerCounts): Cell[] {
  return cells.filter(({ method }) => method === "auto");
}

/** Those that have lasted into the window. */
export function epochsIn(epochs: readonly Epoch[], window: AnalysisWindow | null): Epoch[] {
  const { from = "", to = "~" } = window ?? {};
  return epochs.filter((epoch) => (epoch.to ?? "~") > from && (epoch.from ?? "") < to);
}

export function nameOf({ record }: Pick<Scene, "record">, variationId: string): string {
  return record.variations.find(({ id }) => id === variationId)?.name ?? variationId;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
