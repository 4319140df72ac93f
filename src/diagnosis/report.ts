/** What an experiment has come to, in numbers that may be looked at any time. No I/O, no clock. */
import type { Thresholds } from "../model/diagnosis-thresholds.ts";
import type { Epoch } from "../model/epoch-history.ts";
import type { ExperimentRecord } from "../model/experiment-record.ts";
import type { Cell, HourCell, LedgerCounts } from "../model/ledger-counts.ts";
import { unitsToSeeDeviation } from "../stats/power.ts";
import { sequentialP } from "../stats/sequential-test.ts";
import { type AnalysisWindow, baseOf, type Evidence, epochsIn, plural } from "./scene.ts";
import { type SplitTest, strataOf, testSplit, total, type Verdict } from "./split.ts";
import { type VariationReport, variationReports } from "./variation-report.ts";

export interface SplitReport {
  /** The statistic is null where a variation without a share has units: nothing is as unlikely. */
  chi_square: { statistic: number | null; df: number; p: number; log10_p: number | null };
  /** Of the whole experiment p is the lowest there ever was. */
  sequential: { log_bayes_factor: number | null; p: number; is_alert: boolean };
  /** The most that a variation got beyond or below its share. */
  deviation: number;
  units: number;
  verdict: Verdict | "not_applicable";
}

export interface ExperimentReport {
  experiment_id: string;
  status: string;
  as_of: string;
  window: AnalysisWindow | null;
  variations: VariationReport[];
  srm: SplitReport;
  /** The same of the exposed alone, by chi-square. */
  exposure_srm: Pick<SplitReport, "chi_square" | "deviation" | "units" | "verdict">;
  jumping: { exposed: number; jumped: number; share: number; by_configuration: number; by_identity: number };
  /** Units that are in no statistics. */
  excluded: { forced: number; included: number; sticky: number; unassigned: number };
  epochs: (Epoch & { assignments: Record<string, number> })[];
  hours: HourCell[];
  /** After how many units a variation that is off by so much is seen, four times of five. */
  detectable: { deviation: number; units: number }[];
  warnings: string[];
}

export interface ReportInput extends Pick<Evidence, "record" | "counts" | "window" | "nowMs"> {
  /** The highest ln Bayes factor of all looks before; null where it cannot be told. */
  highest: number | null;
  thresholds: Thresholds;
}

/** How the split stands: what is kept of each look. */
export function lookAt(record: ExperimentRecord, counts: LedgerCounts, thresholds: Thresholds): SplitTest {
  return testSplit(
    strataOf(baseOf(counts), record.epochs, ({ assigned }) => assigned),
    thresholds,
  );
}

export function reportOn(input: ReportInput): ExperimentReport {
  const { record, counts, window, nowMs, thresholds } = input;
  const base = counts === null ? [] : baseOf(counts);
  const all = counts?.cells ?? [];
  const epochs = epochsIn(record.epochs, window);
  const variations = variationReports(record, base);
  const assigned = strataOf(base, epochs, (cell) => cell.assigned);
  const isSplit = record.experiment.allocation_strategy === "percentage";
  const split = testSplit(assigned, thresholds);
  const exposure = testSplit(
    strataOf(base, epochs, ({ exposed }) => exposed),
    thresholds,
  );
  const highest = Math.max(split.logBayesFactor, window === null ? (input.highest ?? 0) : 0);
  const p = sequentialP(highest);
  const exposed = total(all, ({ exposed }) => exposed);
  const jumped = total(all, (cell) => cell.jumped);
  return {
    experiment_id: record.experiment.id,
    status: record.experiment.status,
    as_of: new Date(nowMs).toISOString(),
    window,
    variations,
    srm: {
      ...splitReport(split, isSplit),
      sequential: { log_bayes_factor: finite(split.logBayesFactor), p, is_alert: isSplit && p < thresholds.alert_p },
    },
    exposure_srm: splitReport(exposure, isSplit),
    jumping: {
      exposed,
      jumped,
      share: exposed === 0 ? 0 : jumped / exposed,
      by_configuration: total(all, (cell) => cell.jumped_configuration),
      by_identity: total(all, (cell) => cell.jumped_identity),
    },
    excluded: {
      forced: counts?.forced ?? 0,
      included: total(all, (cell) => (cell.method === "inclusion" ? cell.assigned : 0)),
      sticky: total(all, (cell) => (cell.method === "sticky" ? cell.assigned : 0)),
      unassigned: total(counts?.unassigned ?? [], ({ units }) => units),
    },
    epochs: epochs.map((epoch) => ({ ...epoch, assignments: assignmentsIn(epoch, base) })),
    hours: counts?.hours ?? [],
    detectable: isSplit ? detectableOf(epochs.at(-1)) : [],
    warnings: warningsOf(input, { base, epochs, variations, split: isSplit ? split : null }),
  };
}

function assignmentsIn({ epoch }: Epoch, base: readonly Cell[]): Record<string, number> {
  const own = base.filter((cell) => cell.epoch === epoch);
  return Object.fromEntries(own.map(({ variation_id, assigned }) => [variation_id, assigned]));
}

const finite = (value: number) => (Number.isFinite(value) ? value : null);

function splitReport({ chiSquare, deviation, units, verdict }: SplitTest, isSplit: boolean) {
  const { statistic, df, p, logP } = chiSquare;
  return {
    chi_square: { statistic: finite(statistic), df, p, log10_p: finite(logP / Math.LN10) },
    deviation,
    units,
    verdict: isSplit ? verdict : ("not_applicable" as const),
  };
}

/** By the share of the smallest variation that has one. */
function detectableOf(epoch: Epoch | undefined): ExperimentReport["detectable"] {
  const share = Math.min(...Object.values(epoch?.shares ?? {}).filter((each) => each > 0 && each < 1));
  if (!Number.isFinite(share)) return [];
  return [0.001, 0.003, 0.005, 0.01].map((deviation) => ({
    deviation,
    units: Math.ceil(unitsToSeeDeviation({ share, deviation })),
  }));
}

function warningsOf(
  { counts, record, thresholds }: ReportInput,
  found: {
    base: readonly Cell[];
    epochs: readonly Epoch[];
    variations: readonly VariationReport[];
    split: SplitTest | null;
  },
): string[] {
  const { base, epochs, variations, split } = found;
  const warnings: string[] = [];
  if (counts === null) warnings.push("The ledger cannot be reached: nothing is counted here.");
  if (split?.verdict === "not_enough_data") {
    warnings.push(
      `Too little data for a verdict on the split: ${plural(split.units, "unit")} of ${thresholds.min_units}, and ${thresholds.min_expected} expected of each variation.`,
    );
  }
  const few = variations.filter(({ assignments }) => assignments < thresholds.min_units);
  if (few.length > 0) {
    const names = few.map(({ name, assignments }) => `"${name}" (${assignments})`).join(", ");
    warnings.push(`Too few units to compare rates: ${names}.`);
  }
  if (!record.variations.some(({ is_control }) => is_control)) {
    warnings.push("There is no control: nothing is compared with it.");
  }
  const known = new Set(epochs.map(({ epoch }) => epoch));
  const lost = total(base, (cell) => (known.has(cell.epoch) ? 0 : cell.assigned));
  if (lost > 0) {
    warnings.push(
      `${plural(lost, "unit")} were assigned in epochs that are not of this time or not in the change log: they are in no test of the split.`,
    );
  }
  if (counts !== null && counts.share < 1) {
    warnings.push(
      `The ledger keeps ${counts.share} of all units, a slice by hash: rates hold, counts are of the slice.`,
    );
  }
  return warnings;
}
