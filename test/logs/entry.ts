/** Entries of a log: support for tests. */
import type { LogEntry } from "../../src/model/log-entry.ts";

export const tenant = "acme";

let entryCount = 0;

export function entry(fields: Partial<LogEntry> = {}): LogEntry {
  return {
    log_id: `e${++entryCount}`,
    date: new Date().toISOString(),
    type: "s",
    description: "Success Login",
    tenant_name: tenant,
    hostname: "login.example.com",
    details: {},
    ...fields,
  };
}

export const warning = (code: NonNullable<LogEntry["details"]["code"]>, fields: Partial<LogEntry> = {}): LogEntry =>
  entry({ type: "w", description: code, details: { code }, ...fields });

export const experiment = (id: string, fields: Partial<NonNullable<LogEntry["details"]["experiment"]>> = {}) => ({
  id,
  variation_id: "var_a",
  is_control: false,
  method: "auto" as const,
  epoch: 1,
  ...fields,
});

/** Entries `n<from>` to `n<to - 1>`. */
export const numbered = (from: number, to: number, fields: Partial<LogEntry> = {}): LogEntry[] =>
  Array.from({ length: to - from }, (_, i) => entry({ log_id: `n${from + i}`, ...fields }));

/** Their `log_id`. */
export const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `n${from + i}`);
