/** How much log is kept, as the deployment's settings say it. */
import { type NumberRanges, readNumbers } from "../model/number-settings.ts";

export interface LogLimits {
  /** How long an entry is kept, counted from its date. */
  retentionMs: number;
  /** How much storage all of it may take. */
  bytes: number;
}

const dayMs = 24 * 3_600_000;
const megabyte = 1024 ** 2;

export type LogSettingName = "LOG_RETENTION_DAYS" | "LOG_MAX_MB";

const ranges: NumberRanges<LogSettingName> = {
  LOG_RETENTION_DAYS: [1, 3_650, 30],
  /** An object holds 10 GB. */
  LOG_MAX_MB: [1, 8_192, 1_024],
};

/** A setting that is wrong holds as if it were not there, and is among the faults. */
export function readLogLimits(env: Partial<Record<LogSettingName, string>>): {
  limits: LogLimits;
  faults: [LogSettingName, string][];
} {
  const { values, faults } = readNumbers(ranges, env);
  const limits = { retentionMs: values.LOG_RETENTION_DAYS * dayMs, bytes: values.LOG_MAX_MB * megabyte };
  return { limits, faults };
}
