/** What an Amplitude event says of flags: variants that were assigned or seen. Anything else in it is none of our business. */
import { createHash } from "node:crypto";
import type { Assignment } from "../../assignment/decide.ts";
import { pinOf } from "../../assignment/evaluation.ts";
import type { CompiledExperiment } from "../../snapshot/compiled.ts";
import { activeByFlag } from "../../snapshot/deployments.ts";
import type { Client } from "../serving/desk.ts";
import { isRecord } from "../serving/json.ts";
import type { Told } from "../serving/report.ts";
import { idOf } from "../serving/user.ts";

export type AmplitudeEvent = Record<string, unknown>;

/** Who says so: Amplitude's clients by their own events, or an app by whatever it sends when a variant is seen. */
export type Teller = "amplitude" | "ingest";

export interface Tale {
  teller: Teller;
  told: Told[];
}

const exposures: ReadonlySet<unknown> = new Set(["$exposure", "[Experiment] Exposure"]);
const assignments: ReadonlySet<unknown> = new Set(["$assignment", "[Experiment] Assignment"]);
const assigned = ".variant";

/** A claim that a user has a variant of a flag. */
interface Claim {
  flagKey: unknown;
  variant: unknown;
  experimentKey?: unknown;
  metadata?: unknown;
}

export function happeningsIn(event: AmplitudeEvent, client: Client, nowMs: number): Tale {
  const properties = isRecord(event.event_properties) ? event.event_properties : {};
  const isAssignment = assignments.has(event.event_type);
  const claims = [claimIn(properties), ...(isAssignment ? assignedIn(properties) : [])];
  const atMs = timeOf(event.time, nowMs);
  const insertId = idOf(event.insert_id);
  const type = isAssignment ? "assignment" : "exposure";
  const told = claims.flatMap((claim): Told[] => {
    const assignment = assignmentOf(claim, client);
    if (assignment === null) return [];
    const { experiment } = assignment;
    const name = [client.tenant.id, type, experiment.flagKey, experiment.id, insertId].join("\n");
    return [{ type, assignment, atMs, ...(insertId === null ? {} : { id: digest(name) }) }];
  });
  return { teller: isAssignment || exposures.has(event.event_type) ? "amplitude" : "ingest", told };
}

/** A flag and a variant by the names that clients and servers give them. */
function claimIn(properties: Record<string, unknown>): Claim {
  return {
    flagKey: properties.flag_key ?? properties["[Experiment] Flag Key"],
    variant: properties.variant ?? properties["[Experiment] Variant"],
    experimentKey: properties.experiment_key ?? properties["[Experiment] Experiment Key"],
    metadata: properties.metadata,
  };
}

/** A server tells all variants of a user at once, each as `<flag key>.variant`, with the rule in `<flag key>.details`. */
function assignedIn(properties: Record<string, unknown>): Claim[] {
  return Object.entries(properties).flatMap(([name, variant]) => {
    if (!name.endsWith(assigned)) return [];
    const flagKey = name.slice(0, -assigned.length);
    const [, segmentName] = / rule:(.*)$/s.exec(String(properties[`${flagKey}.details`])) ?? [];
    return [{ flagKey, variant, metadata: { segmentName } }];
  });
}

/** Null for what is not to be counted: a fallback, a forced variation, what is no variation of the deployment's. */
function assignmentOf({ flagKey, variant, experimentKey, metadata: given }: Claim, client: Client): Assignment | null {
  if (typeof flagKey !== "string" || typeof variant !== "string") return null;
  if (!client.deployment.flagKeys.includes(flagKey)) return null;
  const metadata = isRecord(given) ? given : {};
  // A segment of the tenant's own may have that name; it has an id, then.
  const isForced = metadata.segmentName === "forced" && metadata.segmentId === undefined;
  if (metadata.default === true || isForced) return null;
  const experiment = experimentOf(flagKey, experimentKey ?? metadata.experimentKey, client);
  const pin = experiment && pinOf(experiment, { key: variant, metadata: { ...metadata, experimentKey: undefined } });
  const variation = experiment?.variations.get(pin?.variationId ?? "");
  if (!experiment || !pin || !variation) return null;
  const { epoch } = metadata;
  const isEpoch = typeof epoch === "number" && Number.isInteger(epoch) && epoch >= 1 && epoch <= experiment.epoch;
  return {
    experiment,
    variation,
    control: experiment.control === variation.id,
    method: pin.method,
    ...(pin.segmentId !== undefined && experiment.segments.has(pin.segmentId) ? { segmentId: pin.segmentId } : {}),
    epoch: isEpoch ? epoch : experiment.epoch,
  };
}

/** The one that the client was given the variant by; a draft gives variants to none but who forces them. */
function experimentOf(flagKey: string, key: unknown, { snapshot }: Client): CompiledExperiment | undefined {
  const experiment = typeof key === "string" ? snapshot.experiments.get(key) : activeByFlag(snapshot).get(flagKey);
  return experiment?.flagKey === flagKey && experiment.status !== "draft" ? experiment : undefined;
}

const dayMs = 24 * 3600 * 1000;

/** Clients keep what they cannot send; their clocks go wrong, too. */
function timeOf(time: unknown, nowMs: number): number {
  const isLikely = typeof time === "number" && time > nowMs - 30 * dayMs && time <= nowMs;
  return isLikely ? Math.floor(time) : nowMs;
}

/** Of a length that ids may have, whatever clients send. */
const digest = (name: string) => createHash("sha256").update(name).digest("base64url");
