/**
 * What an exposure names an assignment by: the assignment itself, signed, so that nothing has to be kept, and so that an app
 * can hand in only what it was given. It holds the subject as a unit, never an id.
 */
import { base64url } from "jose";
import * as v from "valibot";
import type { Assignment } from "../../assignment/decide.ts";
import type { Keyring } from "../../assignment/keyring.ts";
import { messageOf, type Subject } from "../../assignment/sources.ts";
import { assignmentMethod } from "../../model/event.ts";
import type { CompiledSnapshot } from "../../snapshot/compiled.ts";
import type { Serving } from "./front.ts";

const purpose = "assignment";
const payloadSchema = v.tuple([
  v.string(),
  v.string(),
  v.nullable(v.string()),
  v.number(),
  assignmentMethod,
  v.string(),
]);
type Payload = v.InferOutput<typeof payloadSchema>;

/** Null where it cannot be made now: an app is served all the same. Never rejects. */
export type NameAssignment = (tenant: string, subject: Subject, assignment: Assignment) => Promise<string | null>;

export function createNameAssignment({ keyring, units }: Pick<Serving, "keyring" | "units">): NameAssignment {
  return async (tenant, { deviceId, userId }, { experiment, variation, segmentId, epoch, method }) => {
    const { subject } = experiment;
    const id = subject === "user" ? userId : deviceId;
    if (id === null) return null;
    try {
      const unit = await units.unitOf(tenant, subject, id);
      const payload: Payload = [experiment.id, variation.id, segmentId ?? null, epoch, method, unit];
      return await keyring.sign(purpose, tenant, base64url.encode(JSON.stringify(payload)));
    } catch (error) {
      console.error(JSON.stringify({ message: "an assignment cannot be signed", reason: messageOf(error) }));
      return null;
    }
  };
}

/**
 * `unknown`: not one of ours, or of an experiment that is gone.
 * @throws (by rejecting) when the platform's cryptography fails
 */
export async function readAssignment(
  keyring: Keyring,
  snapshot: CompiledSnapshot,
  id: string,
): Promise<{ assignment: Assignment; unit: string } | "unknown"> {
  const verified = await keyring.verify(purpose, snapshot.tenant, id);
  if (!verified) return "unknown";
  const text = new TextDecoder().decode(base64url.decode(verified.payload));
  const [experimentId, variationId, segmentId, epoch, method, unit] = v.parse(payloadSchema, JSON.parse(text));
  const experiment = snapshot.experiments.get(experimentId);
  const variation = experiment?.variations.get(variationId);
  if (!experiment || !variation) return "unknown";
  const control = experiment.control === variation.id;
  return {
    assignment: { experiment, variation, control, method, ...(segmentId === null ? {} : { segmentId }), epoch },
    unit,
  };
}
