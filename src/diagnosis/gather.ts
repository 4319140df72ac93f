/**
 * Asks the tenant's other objects for what a report or a diagnosis needs, side by side. What cannot be reached is named in
 * the answer, and the rest is answered all the same: somebody asks because something is wrong already.
 */
import { within } from "../alarms/deadline.ts";
import type { CohortStatus } from "../model/cohort.ts";
import { defaultThresholds, type Thresholds } from "../model/diagnosis-thresholds.ts";
import type { ExperimentRecord } from "../model/experiment-record.ts";
import type { LedgerCounts } from "../model/ledger-counts.ts";
import type { LoginEntryType } from "../model/log-entry.ts";
import { type Diagnosis, diagnose } from "./diagnose.ts";
import { type ExperimentReport, lookAt, reportOn } from "./report.ts";
import type { AnalysisWindow, Evidence, KeptVerdict, LogCounts } from "./scene.ts";
import type { Verdict } from "./split.ts";

/** What is counted of log entries from one time to another. */
interface EntryCounts {
  warnings: Readonly<Record<string, number>>;
  experiments: Readonly<Record<string, Outcomes>>;
  unassigned: Outcomes;
}
type Outcomes = Record<LoginEntryType, { total: number; forced: number; passed: number }>;

/** The tenant's other objects, as far as they are asked. */
export interface Sources {
  counts(window?: AnalysisWindow): Promise<{ counts: LedgerCounts; shards: number; answered: number }>;
  keepVerdict(look: { logBayesFactor: number; verdict: string; at: string }): Promise<{ highest: number }>;
  verdicts(): Promise<readonly { experiment_id: string; verdict: string }[]>;
  entries(query: { since: string; until: string; experimentId: string }): Promise<EntryCounts>;
  cohorts(): Promise<Readonly<Record<string, CohortStatus>>>;
}

export interface Lack {
  source: "ledger" | "verdicts" | "log" | "cohorts";
  detail: string;
}

export interface Question {
  record: ExperimentRecord;
  /** As it was asked for: in any form of ISO 8601. */
  window: AnalysisWindow;
  thresholds?: Thresholds;
  nowMs: number;
}

/** Counting a window takes the ledger a walk through all its units; nobody waits longer for the rest. */
const ledgerMs = 15_000;
const othersMs = 3_000;
const hourMs = 3_600_000;
/** The logarithm of a Bayes factor that no number of units comes to: infinity cannot be kept. */
const beyondAll = 1e9;

export type ReportAnswer = ExperimentReport & { partial: Lack[] };

export async function gatherReport(question: Question, sources: Sources): Promise<ReportAnswer> {
  const { record, nowMs, thresholds = defaultThresholds } = question;
  const lacks = createLacks();
  const window = windowOf(question.window);
  const counts = await countsOf(sources, lacks, window);
  const isWhole = window === null && lacks.all().length === 0;
  let highest: number | null = null;
  if (isWhole && counts !== null && record.experiment.allocation_strategy === "percentage") {
    const { logBayesFactor, verdict } = lookAt(record, counts, thresholds);
    const look = { logBayesFactor: Math.min(logBayesFactor, beyondAll), verdict, at: new Date(nowMs).toISOString() };
    const kept = await lacks.ask("verdicts", othersMs, () => sources.keepVerdict(look));
    highest = kept?.highest ?? null;
  }
  return { ...reportOn({ record, counts, window, nowMs, highest, thresholds }), partial: lacks.all() };
}

export interface DiagnosisAnswer extends Diagnosis {
  experiment_id: string;
  as_of: string;
  window: AnalysisWindow | null;
  partial: Lack[];
  /** Of the split as the report has it. */
  verdict: Verdict | "not_applicable";
}

export async function gatherDiagnosis(question: Question, sources: Sources): Promise<DiagnosisAnswer> {
  const { record, nowMs, thresholds = defaultThresholds } = question;
  const lacks = createLacks();
  const window = windowOf(question.window);
  const { experiment } = record;
  const log = (hours: number) =>
    sources.entries({
      since: new Date(nowMs - hours * hourMs).toISOString(),
      until: new Date(nowMs).toISOString(),
      experimentId: experiment.id,
    });
  const [counts, windowed, verdicts, lately, day, cohorts] = await Promise.all([
    countsOf(sources, lacks, null),
    window === null ? null : countsOf(sources, lacks, window),
    lacks.ask("verdicts", othersMs, () => sources.verdicts()),
    lacks.ask("log", othersMs, () => log(thresholds.breaker_hours)),
    lacks.ask("log", othersMs, () => log(24)),
    record.cohorts.length === 0 ? {} : lacks.ask("cohorts", othersMs, () => sources.cohorts()),
  ]);
  const evidence: Evidence = {
    record,
    counts,
    window,
    windowed,
    log: lately === null || day === null ? null : logCounts(experiment.id, lately, day),
    cohorts,
    verdicts: verdicts as readonly KeptVerdict[] | null,
    nowMs,
  };
  const isSplit = experiment.allocation_strategy === "percentage";
  return {
    experiment_id: experiment.id,
    as_of: new Date(nowMs).toISOString(),
    window,
    partial: lacks.all(),
    verdict: !isSplit
      ? "not_applicable"
      : counts === null
        ? "not_enough_data"
        : lookAt(record, counts, thresholds).verdict,
    ...diagnose(evidence, thresholds),
  };
}

async function countsOf(sources: Sources, lacks: Lacks, window: AnalysisWindow | null): Promise<LedgerCounts | null> {
  const read = await lacks.ask("ledger", ledgerMs, () => sources.counts(window ?? undefined));
  if (read === null) return null;
  const { counts, shards, answered } = read;
  if (answered < shards) {
    const silent = shards - answered;
    lacks.add("ledger", `${silent} of ${shards} shards did not answer: counts are of the others, a slice by hash`);
  }
  return counts;
}

interface Lacks {
  /** Null where it rejects, or takes too long. */
  ask<T>(source: Lack["source"], milliseconds: number, work: () => Promise<T>): Promise<T | null>;
  add(source: Lack["source"], detail: string): void;
  /** Each source once. */
  all(): Lack[];
}

function createLacks(): Lacks {
  const found = new Map<Lack["source"], Lack>();
  const add = (source: Lack["source"], detail: string) => {
    if (!found.has(source)) found.set(source, { source, detail });
  };
  return {
    async ask(source, milliseconds, work) {
      try {
        return await within(milliseconds, work());
      } catch (error) {
        console.error(
          JSON.stringify({ message: "diagnosis: a source cannot be reached", source, reason: String(error) }),
        );
        add(source, "it cannot be reached");
        return null;
      }
    },
    add,
    all: () => [...found.values()],
  };
}

/** Times as everything else here has them, so that they can be compared as text. */
function windowOf({ from, to }: AnalysisWindow): AnalysisWindow | null {
  if (from === undefined && to === undefined) return null;
  const iso = (time: string) => new Date(time).toISOString();
  return { ...(from === undefined ? {} : { from: iso(from) }), ...(to === undefined ? {} : { to: iso(to) }) };
}

function logCounts(experimentId: string, lately: EntryCounts, day: EntryCounts): LogCounts {
  const genuine = (outcomes: Outcomes | undefined): LogCounts["outcomes"] => {
    const count = (type: LoginEntryType) => {
      const { total, forced, passed } = outcomes?.[type] ?? { total: 0, forced: 0, passed: 0 };
      return total - forced - passed;
    };
    const pass_throughs = outcomes?.s.passed ?? 0;
    return { s: count("s"), ss: count("ss"), f: count("f"), fs: count("fs"), pass_throughs };
  };
  return {
    lately: lately.warnings,
    day: day.warnings,
    outcomes: genuine(day.experiments[experimentId]),
    unassigned: genuine(day.unassigned),
  };
}
