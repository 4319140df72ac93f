/** How many shards count, how much they keep and for how long, as the deployment's settings say it. */
import { type NumberRanges, readNumbers } from "../model/number-settings.ts";

export interface LedgerLimits {
  /** Of experiments whose first event is still to come; the others keep what they have. */
  shards: number;
  /** How many units a shard keeps, of all experiments together. */
  units: number;
  /** How long an experiment's units are kept after its last event. */
  retentionMs: number;
}

const dayMs = 24 * 3_600_000;

export type LedgerSettingName = "LEDGER_SHARDS" | "LEDGER_MAX_UNITS" | "LEDGER_RETENTION_DAYS";

const ranges: NumberRanges<LedgerSettingName> = {
  LEDGER_SHARDS: [1, 64, 4],
  /** An object holds 10 GB; a unit takes some 500 bytes. */
  LEDGER_MAX_UNITS: [10_000, 15_000_000, 4_000_000],
  LEDGER_RETENTION_DAYS: [1, 3_650, 400],
};

/** A setting that is wrong holds as if it were not there, and is among the faults. */
export function readLedgerLimits(env: Partial<Record<LedgerSettingName, string>>): {
  limits: LedgerLimits;
  faults: [LedgerSettingName, string][];
} {
  const { values, faults } = readNumbers(ranges, env, true);
  const limits = {
    shards: values.LEDGER_SHARDS,
    units: values.LEDGER_MAX_UNITS,
    retentionMs: values.LEDGER_RETENTION_DAYS * dayMs,
  };
  return { limits, faults };
}
