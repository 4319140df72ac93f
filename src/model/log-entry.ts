/** A line of the tenant's log, in the shape of Auth0's log events. */
import * as v from "valibot";
import { assignmentMethod, eventSchema } from "./event.ts";

/** Warnings that the gate, the control plane, the cohorts and log streams may write; docs/problems.md says what each means and what to do. */
export const warningCode = v.picklist([
  "cohort_stale",
  "device_cookie_cleared",
  "experiment_circuit_open",
  "experiment_cohort_unavailable",
  "experiment_failed_open",
  "experiment_invalidated",
  "experiment_not_found",
  "experiment_orphaned_params",
  "experiment_override_not_applied",
  "experiment_override_refused",
  "experiment_sample_ratio_mismatch",
  "experiment_segment_not_found",
  "experiment_stamp_too_large",
  "experiment_variation_missing",
  "experiment_variation_not_found",
  "log_stream_suspended",
]);
export type WarningCode = v.InferOutput<typeof warningCode>;

const experimentDetails = v.object({
  id: v.string(),
  variation_id: v.string(),
  segment_id: v.exactOptional(v.string()),
  is_control: v.boolean(),
  method: assignmentMethod,
  epoch: v.number(),
});
export type ExperimentDetails = v.InferOutput<typeof experimentDetails>;

/** Auth0's types: login and sign-up, succeeded and failed, and `w`, a warning. */
export const loginEntryTypes = ["s", "ss", "f", "fs"] as const;
/** The types of entries that tell how a login ended. */
export type LoginEntryType = (typeof loginEntryTypes)[number];
export const entryTypes = [...loginEntryTypes, "w"] as const;
export type EntryType = (typeof entryTypes)[number];

export const logEntrySchema = v.object({
  log_id: v.string(),
  date: v.pipe(v.string(), v.isoTimestamp()),
  type: v.picklist(entryTypes),
  description: v.string(),
  client_id: v.exactOptional(v.string()),
  connection: v.exactOptional(v.string()),
  ip: v.exactOptional(v.string()),
  user_agent: v.exactOptional(v.string()),
  /** As the identity provider calls the user; only where the tenant's `log_user_ids` is on. */
  user_id: v.exactOptional(v.string()),
  hostname: v.string(),
  tenant_name: v.string(),
  details: v.object({
    code: v.exactOptional(warningCode),
    /** Of an outcome: why nothing was assigned, as `x-experiment-failed-open` said it. */
    failed_open: v.exactOptional(v.string()),
    /** The login succeeded with a session that the provider already had; no page was shown. */
    pass_through: v.exactOptional(v.literal(true)),
    /** The assignment in force, the first when there are several. */
    experiment: v.exactOptional(experimentDetails),
    /** All of them, when there are several. */
    experiments: v.exactOptional(v.array(experimentDetails)),
  }),
});
export type LogEntry = v.InferOutput<typeof logEntrySchema>;

/** As it is shown: Auth0's consumers know it by `_id` as well. */
export const logEntryViewSchema = v.strictObject({
  _id: v.string(),
  ...logEntrySchema.entries,
});
export type LogEntryView = v.InferOutput<typeof logEntryViewSchema>;

const viewFields = Object.keys(logEntryViewSchema.entries) as (keyof LogEntryView)[];

/** In one order, whoever wrote it. */
export function viewOfEntry(entry: LogEntry): LogEntryView {
  const whole: LogEntryView = { _id: entry.log_id, ...entry };
  const fields = viewFields.flatMap((name) => (whole[name] === undefined ? [] : [[name, whole[name]]]));
  return Object.fromEntries(fields) as LogEntryView;
}

/** What travels on the `EVENTS` queue. */
export const queueMessage = v.variant("kind", [
  v.object({ kind: v.literal("event"), event: eventSchema }),
  v.object({ kind: v.literal("log"), entry: logEntrySchema }),
]);
export type QueueMessage = v.InferOutput<typeof queueMessage>;
