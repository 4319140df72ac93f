/** What the configuration and its change log tell of an experiment, for its report and its diagnosis. */
import type { Epoch, Toggle } from "./epoch-history.ts";
import type { Experiment } from "./experiment.ts";
import type { FlowName } from "./flow.ts";
import type { ValidationError } from "./present-experiment.ts";

interface Named {
  id: string;
  name: string;
}

export interface ExperimentRecord {
  experiment: Experiment;
  flag: (Named & { key: string; status: string; deployments: readonly string[] }) | null;
  /** All of the flag's, in stored order. */
  variations: readonly (Named & { key: string; is_control: boolean })[];
  errors: readonly ValidationError[];
  is_entitled: boolean;
  /** Whether the gate can verify users. */
  verifies_users: boolean;
  /** The flows that have pages at the gate. */
  gate_flows: readonly FlowName[];
  active_limit: number;
  /** Active now, this one aside. */
  others_active: readonly Named[];
  /** The oldest first; the last is in force. */
  epochs: readonly Epoch[];
  levels: readonly { at: string; level: number }[];
  /** Since the experiment began. */
  sticky_toggles: readonly Toggle[];
  /** Ended before this one began, the latest first. */
  ended_before: readonly Named[];
  /** All of the tenant's. */
  deployments: readonly (Named & { type: "client" | "server" })[];
  /** Those it is allocated by. */
  segments: readonly Named[];
  /** Those that its rules ask about now. */
  cohorts: readonly (Named & { is_fetched: boolean; refresh_minutes: number })[];
  /** Properties that its rules ask about now. */
  properties: readonly string[];
  /** Since when something is on its way to the edge; null when nothing is. */
  pending: { since: string; last_error: string | null } | null;
}
