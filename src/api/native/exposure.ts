/** One exposure as an app tells it: by the id of its assignment, or by subject, experiment and variation. */
import { createHash } from "node:crypto";
import * as v from "valibot";
import type { Assignment } from "../../assignment/decide.ts";
import type { Keyring } from "../../assignment/keyring.ts";
import { timestampSchema } from "../../model/fields.ts";
import type { CompiledExperiment, CompiledVariation } from "../../snapshot/compiled.ts";
import { activeByFlag } from "../../snapshot/deployments.ts";
import { readAssignment } from "../serving/assignment-id.ts";
import type { Client } from "../serving/desk.ts";
import type { Told } from "../serving/report.ts";
import { idSchema } from "./read.ts";

const text = (most: number) =>
  v.nullish(
    v.pipe(
      v.string("must be text"),
      v.minLength(1, "must not be empty"),
      v.maxLength(most, `must have at most ${most} characters`),
    ),
  );

export const exposureSchema = v.strictObject({
  /** As `/assignments` gave it; says all that the fields below say. */
  assignment_id: text(2_048),
  device_id: v.nullish(idSchema),
  user_id: v.nullish(idSchema),
  experiment_id: text(128),
  flag_key: text(255),
  variation_id: text(128),
  variation: text(255),
  /** Drawn by the app: told again under it, it is the same exposure. */
  id: text(128),
  /** When the variation was shown; now, where it is absent. */
  at: v.nullish(timestampSchema),
  /** Name of the app's own event that counts as an exposure. */
  event: text(255),
});
export type Exposure = v.InferOutput<typeof exposureSchema>;

/** An exposure that can be told, and of whom; or which of its fields is wrong, and what would be right. */
export type Claim =
  | { told: Told; deviceId: string | null; userId: string | null; isOwnEvent: boolean }
  | { field: string; message: string };

const dayMs = 24 * 3600 * 1000;
/** Apps keep what they cannot send. */
const oldestMs = 30 * dayMs;
/** What clocks may differ by. */
const aheadMs = 24 * 3600 * 1000;

/** @throws (by rejecting) when nobody can tell now whether an assignment's id is genuine */
export async function readExposure(
  exposure: Exposure,
  client: Client,
  keyring: Keyring,
  nowMs: number,
): Promise<Claim> {
  const { device_id, user_id, id, at, event, assignment_id } = exposure;
  const atMs = at ? Date.parse(at) : nowMs;
  if (atMs < nowMs - oldestMs || atMs > nowMs + aheadMs) {
    return { field: "at", message: "must be a time of the last 30 days" };
  }
  const found = assignment_id ? await namedBy(assignment_id, client, keyring) : spelledOut(exposure, client);
  if ("field" in found) return found;
  const { assignment } = found;
  const name = [client.tenant.id, client.deployment.id, assignment.experiment.id, id].join("\n");
  const told: Told = {
    type: "exposure",
    assignment,
    atMs: Math.min(atMs, nowMs),
    ...("unit" in found ? { unit: found.unit } : {}),
    ...(id ? { id: createHash("sha256").update(name).digest("base64url") } : {}),
  };
  return { told, deviceId: device_id ?? null, userId: user_id ?? null, isOwnEvent: !!event };
}

type Found = { assignment: Assignment; unit?: string } | { field: string; message: string };

async function namedBy(id: string, client: Client, keyring: Keyring): Promise<Found> {
  const found = await readAssignment(keyring, client.snapshot, id);
  if (found === "unknown" || !isEnabled(found.assignment.experiment, client)) {
    return { field: "assignment_id", message: "must be the assignment_id of an assignment fetched with this key" };
  }
  return found;
}

function spelledOut(exposure: Exposure, client: Client): Found {
  const experiment = experimentOf(exposure, client);
  if ("field" in experiment) return experiment;
  const subject = experiment.subject === "user" ? "user_id" : "device_id";
  if (!exposure[subject]) {
    return { field: subject, message: `must be given, as ${experiment.id} assigns ${experiment.subject}s` };
  }
  const variation = variationOf(exposure, experiment);
  if ("field" in variation) return variation;
  const control = experiment.control === variation.id;
  return { assignment: { experiment, variation, control, method: "auto", epoch: experiment.epoch } };
}

function experimentOf(
  { experiment_id, flag_key }: Exposure,
  client: Client,
): CompiledExperiment | Exclude<Claim, { told: Told }> {
  const { snapshot } = client;
  if (!experiment_id && !flag_key) {
    return { field: "assignment_id", message: "must be given, or else experiment_id or flag_key" };
  }
  if (!experiment_id) {
    const begun = [...snapshot.experiments.values()].filter(
      (each) => each.flagKey === flag_key && each.status !== "draft" && isEnabled(each, client),
    );
    // What was paused or completed a moment ago may still be told of.
    const experiment = activeByFlag(snapshot).get(flag_key ?? "") ?? (begun.length === 1 ? begun[0] : undefined);
    if (experiment && isEnabled(experiment, client)) return experiment;
    const rest = begun.length > 0 ? "; name one by experiment_id" : "";
    return { field: "flag_key", message: `must be a feature flag of this key with an active experiment${rest}` };
  }
  const experiment = snapshot.experiments.get(experiment_id);
  if (!experiment || !isEnabled(experiment, client)) {
    return { field: "experiment_id", message: "must be an experiment on a feature flag that this key may fetch" };
  }
  if (experiment.status === "draft") {
    return { field: "experiment_id", message: "must be an experiment that has been active: this one is a draft" };
  }
  if (flag_key && flag_key !== experiment.flagKey) {
    return { field: "flag_key", message: `must be ${experiment.flagKey}, the experiment's feature flag, or left out` };
  }
  return experiment;
}

function variationOf(
  { variation_id, variation }: Exposure,
  { variations, variationByKey }: CompiledExperiment,
): CompiledVariation | { field: string; message: string } {
  const field = variation_id || !variation ? "variation_id" : "variation";
  const found = variation_id ? variations.get(variation_id) : variationByKey.get(variation ?? "");
  if (found && (!variation || found.key === variation)) return found;
  const known = [...variations.values()].map(({ id, key }) => `${id} (${key})`);
  return { field, message: `must be one of ${known.join(", ")}` };
}

function isEnabled({ flagKey }: CompiledExperiment, { deployment }: Client): boolean {
  return deployment.flagKeys.includes(flagKey);
}
