/** What the log says of a stream that is sent nothing more. */
import type { LogEntry } from "../../model/log-entry.ts";
import type { StreamRecord } from "./stream-store.ts";

/** @param now in ms since the epoch */
export function suspensionOf({ definition, progress }: StreamRecord, tenant: string, now: number): LogEntry {
  const { id, name, sink } = definition;
  const since = new Date(progress.failingSince ?? now).toISOString();
  return {
    log_id: crypto.randomUUID(),
    date: new Date(now).toISOString(),
    type: "w",
    description: `Log stream "${name}" (${id}) has failed since ${since} and is suspended. The last error: ${progress.error}`,
    hostname: URL.canParse(sink.http_endpoint) ? new URL(sink.http_endpoint).host : "",
    tenant_name: tenant,
    details: { code: "log_stream_suspended" },
  };
}
