/** What happened to an assignment, as an event for the ledger. */
import { mostMissing, type OutcomeType, type VestibuleEvent } from "../model/event.ts";
import type { CompiledExperiment } from "../snapshot/compiled.ts";
import type { Address } from "./address.ts";
import { readAttributes } from "./attributes.ts";
import type { Assignment } from "./decide.ts";
import { readUserAgent } from "./user-agent.ts";

/** Who saw it, when and of whom: the same for all that one request brings about. */
export interface Occasion {
  tenant: string;
  atMs: number;
  source: VestibuleEvent["source"];
  /** Id of the deployment whose key came with it. */
  deployment?: string;
  attributes: VestibuleEvent["attributes"];
}

export interface Happening {
  type: Exclude<VestibuleEvent["type"], "identity">;
  assignment: Assignment;
  /** Of a log-in or sign-up that ended. */
  outcome?: OutcomeType;
}

function assignedAs({ experiment, variation, segmentId, epoch, method }: Assignment) {
  return {
    experiment_id: experiment.id,
    flag_key: experiment.flagKey,
    variation_id: variation.id,
    ...(segmentId === undefined ? {} : { segment_id: segmentId }),
    epoch,
    method,
  };
}

function occurred({ tenant, atMs, source, deployment, attributes }: Occasion) {
  return {
    id: crypto.randomUUID(),
    tenant,
    at: new Date(atMs).toISOString(),
    source,
    ...(deployment === undefined ? {} : { deployment }),
    attributes,
  };
}

/** @param unit of the experiment's subject */
export function eventOf({ type, assignment, outcome }: Happening, unit: string, occasion: Occasion): VestibuleEvent {
  const { hashedVariationId, missing = [], experiment } = assignment;
  return {
    ...occurred(occasion),
    type,
    ...assignedAs(assignment),
    unit,
    subject_kind: experiment.subject,
    ...(outcome === undefined ? {} : { outcome }),
    ...(type !== "assignment" || hashedVariationId === undefined ? {} : { hashed_variation_id: hashedVariationId }),
    ...(type !== "assignment" || missing.length === 0 ? {} : { missing: missing.slice(0, mostMissing) }),
  };
}

/** An outcome of a subject, whatever variation it has: the ledger knows that, if it was assigned any. */
export function outcomeOf(
  experiment: CompiledExperiment,
  outcome: OutcomeType,
  unit: string,
  occasion: Occasion,
): VestibuleEvent {
  return {
    ...occurred(occasion),
    type: "auth",
    experiment_id: experiment.id,
    flag_key: experiment.flagKey,
    unit,
    subject_kind: experiment.subject,
    outcome,
  };
}

/** A device that turned out to be a user's. */
export function identityOf(
  assignment: Assignment,
  { device, user }: { device: string; user: string },
  occasion: Occasion,
): VestibuleEvent {
  return {
    ...occurred(occasion),
    type: "identity",
    ...assignedAs(assignment),
    unit: device,
    subject_kind: "device",
    linked_unit: user,
  };
}

/** What the statistics may know of whoever sent a request. */
export function requestAttributes(request: Request, url: Address): VestibuleEvent["attributes"] {
  const { country, region, colo } = readAttributes(request, url);
  const place = Object.entries({ country, region, colo }).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as const] : [],
  );
  return { ...readUserAgent(request.headers.get("user-agent") ?? ""), ...Object.fromEntries(place) };
}
