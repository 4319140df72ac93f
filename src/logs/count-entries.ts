/** How often what was logged, for who explains an experiment. */
import { type LoginEntryType, loginEntryTypes } from "../model/log-entry.ts";
import type { EntryStore } from "./entry-store.ts";
import { assignmentsIn, failedOpenMark } from "./mark.ts";

export interface CountQuery {
  /** ISO times; `until` is not counted any more. */
  since: string;
  until: string;
  /** Counts outcomes of this experiment only. */
  experimentId?: string;
}

export type OutcomeCounts = Record<LoginEntryType, { total: number; forced: number }>;

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
  Object.fromEntries(loginEntryTypes.map((type) => [type, { total: 0, forced: 0 }])) as OutcomeCounts;

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
    const assignments = assignmentsIn(mark);
    if (assignments.length === 0) counts.unassigned[type].total += count;
    for (const { experiment, isForced } of assignments) {
      if (experimentId !== undefined && experiment !== experimentId) continue;
      counts.experiments[experiment] ??= none();
      const of = counts.experiments[experiment][type];
      of.total += count;
      if (isForced) of.forced += count;
    }
  }
  return counts;
}
