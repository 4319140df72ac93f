/** How far a stream has come, as the API shows it. */
import { type LogStreamDelivery, typesOf } from "../../model/log-stream.ts";
import type { EntryStore } from "../entry-store.ts";
import type { StreamRecord } from "./stream-store.ts";

export function deliveryOf(
  { definition, progress }: StreamRecord,
  entries: EntryStore,
  isSending: boolean,
): LogStreamDelivery {
  const { pending, cursor } = progress;
  const [next] = pending === 0 ? [] : entries.after(cursor, typesOf(definition), 1);
  return {
    state: stateOf({ definition, progress }, isSending),
    delivered: progress.delivered,
    last_delivered_at: isoOf(progress.lastDeliveredAt),
    pending,
    pending_since: isoOf(next?.at ?? null),
    lost: progress.lost,
    failures: progress.failures,
    failing_since: isoOf(progress.failingSince),
    error: progress.error,
    next_attempt_at: isoOf(progress.nextAt),
  };
}

function stateOf({ definition, progress }: StreamRecord, isSending: boolean): LogStreamDelivery["state"] {
  if (progress.isSuspended) return "suspended";
  if (definition.status === "paused") return "paused";
  if (progress.failures > 0) return "failing";
  return isSending || progress.pending > 0 ? "sending" : "idle";
}

const isoOf = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
