/** How much log is kept, as the deployment's settings say it. */

export interface LogLimits {
  /** How long an entry is kept, counted from its date. */
  retentionMs: number;
  /** How much storage all of it may take. */
  bytes: number;
}

const dayMs = 24 * 3_600_000;
const megabyte = 1024 ** 2;

/** What may be said, and what holds where nothing is: name → smallest, largest, default. */
const ranges = {
  LOG_RETENTION_DAYS: [1, 3_650, 30],
  /** An object holds 10 GB. */
  LOG_MAX_MB: [1, 8_192, 1_024],
} as const;

export type LogSettingName = keyof typeof ranges;

/** A setting that is wrong holds as if it were not there, and is among the faults. */
export function readLogLimits(env: Partial<Record<LogSettingName, string>>): {
  limits: LogLimits;
  faults: [LogSettingName, string][];
} {
  const faults: [LogSettingName, string][] = [];
  const read = (name: LogSettingName): number => {
    const [least, most, fallback] = ranges[name];
    const text = env[name];
    if (!text) return fallback;
    const number = Number(text);
    if (number >= least && number <= most) return number;
    faults.push([name, `must be a number from ${least} to ${most} (got ${JSON.stringify(text)})`]);
    return fallback;
  };
  const limits = { retentionMs: read("LOG_RETENTION_DAYS") * dayMs, bytes: read("LOG_MAX_MB") * megabyte };
  return { limits, faults };
}
