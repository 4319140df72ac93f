/** What entries are counted by, in one short text that stands in an index: no entry has to be read to count a million. */
import type { LogEntry } from "../model/log-entry.ts";

/** Of a log-in whose session failed open: no id of an experiment looks like it. */
export const failedOpenMark = "!";

/** Starts the mark of a login that showed no page: no id of an experiment begins with it. */
const passThroughPrefix = ">";

/** A warning's code, or the assignments in force when a log-in ended. */
export function markOf({ type, details }: LogEntry): string {
  if (type === "w") return details.code ?? "";
  if (details.failed_open !== undefined) return failedOpenMark;
  const assignments = details.experiments ?? (details.experiment === undefined ? [] : [details.experiment]);
  const assigned = assignments.map(({ id, method }) => `${id}:${method}`).join(" ");
  return details.pass_through ? `${passThroughPrefix}${assigned}` : assigned;
}

export interface OutcomeMark {
  isPassThrough: boolean;
  /** Nothing of a login is counted in which a variation was forced, for none of its experiments. */
  isForced: boolean;
  experiments: string[];
}

/** What an outcome's mark says. */
export function readMark(mark: string): OutcomeMark {
  const isPassThrough = mark.startsWith(passThroughPrefix);
  const assigned = isPassThrough ? mark.slice(passThroughPrefix.length) : mark;
  const parts = assigned === "" ? [] : assigned.split(" ").map((text) => text.split(":"));
  return {
    isPassThrough,
    isForced: parts.some(([, method]) => method === "forced"),
    experiments: parts.map(([experiment = ""]) => experiment),
  };
}
