/** What is counted: one message on the queue an event. No raw id is ever in it. */
import * as v from "valibot";

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(128));

export const assignmentMethod = v.picklist(["auto", "session", "sticky", "inclusion", "forced"]);
/** How a variation was chosen; `session` is a pin from an earlier request of the same login. */
export type AssignmentMethod = v.InferOutput<typeof assignmentMethod>;

export const outcomeType = v.picklist(["s", "ss", "f", "fs", "p"]);
/**
 * Login and sign-up, succeeded and failed, named as Auth0's log types; `p` is a pass-through: the provider had a session
 * already, so the login succeeded without showing a page.
 */
export type OutcomeType = v.InferOutput<typeof outcomeType>;

/** Properties that one event names as missing; further ones are left out. */
export const mostMissing = 20;

export const eventSchema = v.object({
  id,
  tenant: id,
  /** `forced`: QA forced a variation on the unit, so the experiment's statistics leave it out. */
  type: v.picklist(["assignment", "exposure", "auth", "identity", "forced"]),
  /** ISO 8601, milliseconds, UTC. */
  at: v.pipe(v.string(), v.isoTimestamp()),
  experiment_id: v.exactOptional(id),
  flag_key: v.exactOptional(v.string()),
  variation_id: v.exactOptional(id),
  /** The segment whose rule gave the variation; absent where that was none, as for all users. */
  segment_id: v.exactOptional(id),
  epoch: v.exactOptional(v.number()),
  /** Keyed hash of the subject's id. */
  unit: id,
  subject_kind: v.picklist(["device", "user"]),
  /** Of an identity: the user's unit that `unit`, a device, turned out to be; the variation is what the device had. */
  linked_unit: v.exactOptional(id),
  method: v.exactOptional(assignmentMethod),
  /** What the hash alone gives, where something else was served: sticky bucketing, say. Null: it gives nothing. */
  hashed_variation_id: v.exactOptional(v.nullable(id)),
  /** Properties that the experiment's rules ask about and the subject lacked. */
  missing: v.exactOptional(v.pipe(v.array(v.string()), v.maxLength(mostMissing))),
  /** Of an auth event. */
  outcome: v.exactOptional(outcomeType),
  /** Who says so; `ingest` is a client that counts exposures by an event of its own choice. */
  source: v.picklist(["gate", "native", "amplitude", "ofrep", "ingest"]),
  /** The deployment whose key it came with; absent from what the gate saw. */
  deployment: v.exactOptional(id),
  attributes: v.record(v.string(), v.union([v.string(), v.boolean()])),
});
export type VestibuleEvent = v.InferOutput<typeof eventSchema>;
