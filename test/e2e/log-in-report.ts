/** Reads the Worker's console: the log entries and the counts of events that its queue's consumer writes there. */
import * as v from "valibot";
import { type LogEntry, logEntrySchema } from "../../src/model/log-entry.ts";

interface Line {
  level: string;
  message: string;
}

function parsed({ message }: Line): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}

/** Warnings come twice: at once, and through the queue. */
export function logEntriesOf(lines: readonly Line[]): LogEntry[] {
  return lines.flatMap((line) => {
    const entry = v.safeParse(logEntrySchema, parsed(line));
    return entry.success ? [entry.output] : [];
  });
}

const countsSchema = v.objectWithRest({ message: v.literal("events") }, v.number());

/** How many of each came through the queue: `assignment:<experiment>`, `log:<type>` … */
export function countsOf(lines: readonly Line[]): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const line of lines) {
    const found = v.safeParse(countsSchema, parsed(line));
    if (!found.success) continue;
    const { message: _, ...counts } = found.output;
    for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + Number(count);
  }
  return totals;
}
