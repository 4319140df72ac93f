/** How often what was logged, for who explains an experiment. */
import { type LoginEntryType, loginEntryTypes } from "../model/log-entry.ts";
import type { EntryStore } from "./entry-store.ts";
import { failedOpenMark, type OutcomeMark, readMark } from "./mark.ts";

export interface CountQuery {
  /** ISO times; `until` is not counted any more. */
  since: string;
  until: string;
  /** Counts outcomes of this experiment only. */
  experimentId?: string;
}

export interface OutcomeCount {
  total: number;
  /** In a login in which a variation was forced. */
  forced: number;
  /** Pass-throughs, not forced: successes that showed no page. */
  passed: number;
}
export type OutcomeCounts = Record<LoginEntryType, OutcomeCount>;

export interface EntryCounts {
  /** By code; a code that never came is not there. */
  warnings: Record<string, number>;
  /** Log-ins that ended, by the experiment that was in force; one under two experiments counts for each. */
  experiments: Record<string, OutcomeCounts>;
  /** Log-ins that ended without any. */
  unassigned: OutcomeCounts;
  /** Log-ins whose session failed open, and that were assigned nothing for that. */
  failedOpen: OutcomeCounts;
}

const none = (): OutcomeCounts =>
  Object.fromEntries(loginEntryTypes.map((type) => [type, { total: 0, forced: 0, passed: 0 }])) as OutcomeCounts;

function add(
  to: OutcomeCount,
  { isForced, isPassThrough }: Pick<OutcomeMark, "isForced" | "isPassThrough">,
  count: number,
) {
  to.total += count;
  if (isForced) to.forced += count;
  else if (isPassThrough) to.passed += count;
}

export function countEntries(entries: EntryStore, { since, until, experimentId }: CountQuery): EntryCounts {
  const counts: EntryCounts = { warnings: {}, experiments: {}, unassigned: none(), failedOpen: none() };
  for (const { type, mark, count } of entries.count(Date.parse(since), Date.parse(until))) {
    if (type === "w") {
      counts.warnings[mark] = count;
      continue;
    }
    if (mark === failedOpenMark) {
      counts.failedOpen[type].total += count;
      continue;
    }
    const read = readMark(mark);
    if (read.experiments.length === 0) add(counts.unassigned[type], read, count);
    for (const experiment of read.experiments) {
      if (experimentId !== undefined && experiment !== experimentId) continue;
      counts.experiments[experiment] ??= none();
      add(counts.experiments[experiment][type], read, count);
    }
  }
  return counts;
}
