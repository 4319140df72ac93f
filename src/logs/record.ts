/** How the rest of the house reaches a tenant's logbook. */
import { within } from "../alarms/deadline.ts";
import type { LogEntry } from "../model/log-entry.ts";
import type { Logbook } from "./logbook.ts";

export interface LogBindings {
  LOGBOOK: DurableObjectNamespace;
}

/** Of the object, what is called over RPC. */
export type LogbookObject = Pick<Logbook, "record" | "find" | "get" | "countEntries" | "forgetSubject" | "deliveries">;

const giveUpMs = 10_000;

export function logbookOf({ LOGBOOK }: LogBindings, tenant: string): LogbookObject {
  return LOGBOOK.get(LOGBOOK.idFromName(tenant)) as unknown as LogbookObject;
}

/**
 * Stores log entries of one tenant: all of them, once it resolves. Where it rejects nobody knows, and it is safe to say the
 * same again: `log_id` tells repeats apart.
 */
export async function recordEntries(
  bindings: LogBindings,
  tenant: string,
  entries: readonly LogEntry[],
): Promise<void> {
  await within(giveUpMs, logbookOf(bindings, tenant).record(entries));
}
