/** Fields that exposures and outcomes share. */
import { createHash } from "node:crypto";
import * as v from "valibot";
import type { Assignment } from "../../assignment/decide.ts";
import type { Keyring } from "../../assignment/keyring.ts";
import { timestampSchema } from "../../model/fields.ts";
import type { CompiledExperiment } from "../../snapshot/compiled.ts";
import { readAssignment } from "../serving/assignment-id.ts";
import type { Client } from "../serving/desk.ts";
import type { FieldError } from "./batch.ts";

/** Also null: an absent value, to encoders that write what is not there. */
export const optionalText = (maxLength: number) =>
  v.nullish(
    v.pipe(
      v.string("must be text"),
      v.minLength(1, "must not be empty"),
      v.maxLength(maxLength, `must have at most ${maxLength} characters`),
    ),
  );

export const eventFields = {
  /** As `/assignments` gave it. */
  assignment_id: optionalText(2_048),
  experiment_id: optionalText(128),
  /** Chosen by the app: sent again under it, it is the same event. */
  id: optionalText(128),
  /** When it happened; now, where it is absent. */
  at: v.nullish(timestampSchema),
};

const dayMs = 24 * 3600 * 1000;
/** Apps keep what they cannot send. */
const maxAgeMs = 30 * dayMs;
/** Clocks differ. */
const maxAheadMs = dayMs;

/** Milliseconds, never later than now. */
export function readTime(at: string | null | undefined, nowMs: number): number | FieldError {
  const atMs = at ? Date.parse(at) : nowMs;
  if (atMs < nowMs - maxAgeMs || atMs > nowMs + maxAheadMs) {
    return { field: "at", message: "must be a time of the last 30 days" };
  }
  return Math.min(atMs, nowMs);
}

/** An event's id, the same in every isolate, from the parts that make it that event. */
export const eventIdOf = (...parts: readonly string[]): string =>
  createHash("sha256").update(parts.join("\n")).digest("base64url");

/** @throws (by rejecting) when the platform's cryptography fails */
export async function readAssignmentId(
  id: string,
  client: Client,
  keyring: Keyring,
): Promise<{ assignment: Assignment; unit: string } | FieldError> {
  const found = await readAssignment(keyring, client.snapshot, id);
  if (found === "unknown" || !isEnabledFor(client, found.assignment.experiment)) {
    return { field: "assignment_id", message: "must be the assignment_id of an assignment fetched with this key" };
  }
  return found;
}

/** Whether the experiment's flag can be fetched with the client's key. */
export function isEnabledFor({ deployment }: Client, { flagKey }: CompiledExperiment): boolean {
  return deployment.flagKeys.includes(flagKey);
}
