/** What the object is told that keeps the tenant's log. */
import type { LogStreamDefinition } from "../model/log-stream.ts";
import type { Tables } from "./tables.ts";

export interface LogStreamDefinitions {
  tenant: string;
  /** As of `CohortDefinitions`. */
  revision: number;
  streams: LogStreamDefinition[];
}

export function logStreamDefinitions({ log_stream, stream_secret }: Tables): LogStreamDefinition[] {
  return [...log_stream.values()].map(({ item }) => ({
    ...item,
    secrets: stream_secret.get(item.id)?.item.sink ?? {},
  }));
}
