/** What entries are counted by, in one short text that stands in an index: no entry has to be read to count a million. */
import type { LogEntry } from "../model/log-entry.ts";

/** Of a log-in whose session failed open: no id of an experiment looks like it. */
export const failedOpenMark = "!";

/** A warning's code, or the assignments in force when a log-in ended. */
export function markOf({ type, details }: LogEntry): string {
  if (type === "w") return details.code ?? "";
  if (details.failed_open !== undefined) return failedOpenMark;
  const assignments = details.experiments ?? (details.experiment === undefined ? [] : [details.experiment]);
  return assignments.map(({ id, method }) => `${id}:${method}`).join(" ");
}

/** The assignments of an outcome's mark. */
export function assignmentsIn(mark: string): { experiment: string; isForced: boolean }[] {
  if (mark === "") return [];
  return mark.split(" ").map((text) => {
    const [experiment = "", method] = text.split(":");
    return { experiment, isForced: method === "forced" };
  });
}
