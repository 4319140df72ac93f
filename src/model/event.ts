/** What is counted: one message on the queue an event. No raw id is ever in it. */
import * as v from "valibot";

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(128));

export const assignmentMethod = v.picklist(["auto", "session", "sticky", "inclusion", "forced"]);
/** How a variation was come by; `session` is a pin from an earlier hop of the same log-in. */
export type AssignmentMethod = v.InferOutput<typeof assignmentMethod>;

export const outcomeType = v.picklist(["s", "ss", "f", "fs"]);
/** Log-in and sign-up, succeeded and failed, as Auth0's log types call them. */
export type OutcomeType = v.InferOutput<typeof outcomeType>;

export const eventSchema = v.object({
  id,
  tenant: id,
  type: v.picklist(["assignment", "exposure", "auth", "identity"]),
  /** ISO 8601, milliseconds, UTC. */
  at: v.pipe(v.string(), v.isoTimestamp()),
  experiment_id: v.exactOptional(id),
  flag_key: v.exactOptional(v.string()),
  variation_id: v.exactOptional(id),
  epoch: v.exactOptional(v.number()),
  /** Keyed hash of the subject's id. */
  unit: id,
  subject_kind: v.picklist(["device", "user"]),
  method: v.exactOptional(assignmentMethod),
  /** Of an auth event. */
  outcome: v.exactOptional(outcomeType),
  source: v.picklist(["gate", "native", "amplitude", "ofrep", "ingest"]),
  attributes: v.record(v.string(), v.union([v.string(), v.boolean()])),
});
export type VestibuleEvent = v.InferOutput<typeof eventSchema>;
