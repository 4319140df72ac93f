/** One exposure as an app tells it: by the id of its assignment, or by subject, experiment and variation. */
import * as v from "valibot";
import type { Assignment } from "../../assignment/decide.ts";
import type { Keyring } from "../../assignment/keyring.ts";
import type { CompiledExperiment, CompiledVariation } from "../../snapshot/compiled.ts";
import { activeByFlag } from "../../snapshot/deployments.ts";
import type { Client } from "../serving/desk.ts";
import type { Told } from "../serving/report.ts";
import type { FieldError } from "./batch.ts";
import { eventFields, eventIdOf, isEnabledFor, optionalText, readAssignmentId, readTime } from "./event-fields.ts";
import { idSchema } from "./read.ts";

export const exposureSchema = v.strictObject({
  ...eventFields,
  device_id: v.nullish(idSchema),
  user_id: v.nullish(idSchema),
  flag_key: optionalText(255),
  variation_id: optionalText(128),
  variation: optionalText(255),
  /** Name of the app's own event that counts as an exposure. */
  event: optionalText(255),
});
export type Exposure = v.InferOutput<typeof exposureSchema>;

/** An exposure that can be told, and of whom; or which of its fields is wrong, and what would be right. */
export type Claim = { told: Told; deviceId: string | null; userId: string | null; isOwnEvent: boolean } | FieldError;

/** @throws (by rejecting) when nobody can tell now whether an assignment's id is genuine */
export async function readExposure(
  exposure: Exposure,
  client: Client,
  keyring: Keyring,
  nowMs: number,
): Promise<Claim> {
  const { device_id, user_id, id, at, event, assignment_id } = exposure;
  const atMs = readTime(at, nowMs);
  if (typeof atMs === "object") return atMs;
  const found = assignment_id ? await readAssignmentId(assignment_id, client, keyring) : spelledOut(exposure, client);
  if ("field" in found) return found;
  const { assignment } = found;
  const told: Told = {
    type: "exposure",
    assignment,
    atMs,
    ...(found.unit === undefined ? {} : { unit: found.unit }),
    ...(id ? { id: eventIdOf(client.tenant.id, client.deployment.id, assignment.experiment.id, id) } : {}),
  };
  return { told, deviceId: device_id ?? null, userId: user_id ?? null, isOwnEvent: !!event };
}

function spelledOut(exposure: Exposure, client: Client): { assignment: Assignment; unit?: string } | FieldError {
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

function experimentOf({ experiment_id, flag_key }: Exposure, client: Client): CompiledExperiment | FieldError {
  const { snapshot } = client;
  if (!experiment_id && !flag_key) {
    return { field: "assignment_id", message: "must be given, or else experiment_id or flag_key" };
  }
  if (!experiment_id) {
    const begun = [...snapshot.experiments.values()].filter(
      (each) => each.flagKey === flag_key && each.status !== "draft" && isEnabledFor(client, each),
    );
    // What was paused or completed a moment ago may still be told of.
    const experiment = activeByFlag(snapshot).get(flag_key ?? "") ?? (begun.length === 1 ? begun[0] : undefined);
    if (experiment && isEnabledFor(client, experiment)) return experiment;
    const rest = begun.length > 0 ? "; name one by experiment_id" : "";
    return { field: "flag_key", message: `must be a feature flag of this key with an active experiment${rest}` };
  }
  const experiment = snapshot.experiments.get(experiment_id);
  if (!experiment || !isEnabledFor(client, experiment)) {
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
): CompiledVariation | FieldError {
  const field = variation_id || !variation ? "variation_id" : "variation";
  const found = variation_id ? variations.get(variation_id) : variationByKey.get(variation ?? "");
  if (found && (!variation || found.key === variation)) return found;
  const known = [...variations.values()].map(({ id, key }) => `${id} (${key})`);
  return { field, message: `must be one of ${known.join(", ")}` };
}
