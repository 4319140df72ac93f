/** A snapshot made ready for use: parsed, checked and compiled once a version. */
import * as v from "valibot";
import { type CompiledFlags, compileFlags } from "../engine/compile.ts";
import type { Flag } from "../engine/flag.ts";
import { askedProperties, type PropertyPath } from "../model/asked-properties.ts";
import { createCohortNeeds, withDependencies } from "../model/cohort-needs.ts";
import type { AuthenticationFlow } from "../model/flow.ts";
import { type CohortIndex, cohortIndexSchema, type SnapshotExperiment, snapshotSchema } from "../model/snapshot.ts";

export interface CompiledVariation {
  id: string;
  /** The engine's variant key. */
  key: string;
  config: Readonly<Record<string, unknown>>;
  /** base64url of `config` as JSON: the header's form. */
  encodedConfig: string;
}

export interface CompiledExperiment extends Pick<SnapshotExperiment, "id" | "status" | "epoch" | "subject" | "sticky"> {
  flow: AuthenticationFlow;
  /** When it was completed; absent while it is not. */
  endedAtMs?: number;
  flagKey: string;
  control: string | undefined;
  variations: ReadonlyMap<string, CompiledVariation>;
  variationByKey: ReadonlyMap<string, CompiledVariation>;
  /** Segment id → variation id. */
  segments: ReadonlyMap<string, string>;
  /** What its flag, or one it depends on, asks about cohorts; null when it asks nothing, or the experiment is not active. */
  cohorts: CohortNeed | null;
  /** Properties that its flag's own rules ask about; none unless the experiment is active. */
  asks: readonly PropertyPath[];
}

/** A flag that the gate serves by its rollout, since no experiment on it is active. */
export interface CompiledRollout {
  flagKey: string;
  /** Whether a choice depends on the device id, so that a visitor without one needs one. */
  needsDevice: boolean;
  /** Whether a choice depends on who the user is. */
  needsUser: boolean;
  /** Whether a choice depends on what the login's authorization request alone says. */
  needsLogin: boolean;
  /** Whose id the rollout buckets by; sticky choices belong to that subject. */
  subject: "device" | "user";
  sticky: boolean;
  cohorts: CohortNeed | null;
  /** By the engine's variant key. */
  variations: ReadonlyMap<string, CompiledVariation>;
}

/** What the gate assigns and serves. */
export interface CompiledGate {
  /** The active experiments on flags that are enabled at the gate. */
  active: readonly CompiledExperiment[];
  rollouts: readonly CompiledRollout[];
  /** Whether an experiment could be assigned soon: one is a draft, active or paused. */
  hasPendingExperiments: boolean;
  /** Whether an active experiment depends on who the user is. */
  needsUser: boolean;
  /** Whether the flag is enabled at the gate. Every flag is where the snapshot was published before flags could be. */
  isEnabled(flagKey: string): boolean;
}

export interface CohortNeed {
  ids: readonly string[];
  /** Those of them that the index does not answer for. */
  missing: readonly string[];
  /** Whether one of them is of users. */
  ofUsers: boolean;
}

export interface CompiledSnapshot {
  tenant: string;
  version: number;
  flags: CompiledFlags;
  /** Those of the flags, as they were published, that can be evaluated. */
  flagByKey: ReadonlyMap<string, Flag>;
  experiments: ReadonlyMap<string, CompiledExperiment>;
  /** Those that are active, at the gate or in apps. */
  active: readonly CompiledExperiment[];
  gate: CompiledGate;
  /** Where cohorts' members are found; null when there is no index, or none that can be read. */
  cohorts: CohortIndex | null;
  cohortNeedOf(flagKey: string): CohortNeed | null;
  /** As they were published: `deployments.ts` reads them once they are asked for. */
  deployments: unknown;
  /** Likewise. */
  unserved: unknown;
  /** What was left out, and why; the rest is used without it. */
  faults: readonly string[];
}

/** Flags and experiments are looked at one by one, so that a broken one fails alone; the engine checks its flags. */
const envelopeSchema = v.object({
  ...snapshotSchema.entries,
  flags: v.array(v.unknown()),
  experiments: v.array(v.unknown()),
  // The gate asks for none of it.
  deployments: v.exactOptional(v.unknown()),
  unserved: v.exactOptional(v.unknown()),
  gate: v.exactOptional(v.unknown()),
  cohorts: v.exactOptional(v.unknown()),
});
const experimentSchema = snapshotSchema.entries.experiments.item;

/** Ids stand in headers, in comma-separated lists: one that does not fit would break every request it is stamped on. */
export const isHeaderSafe = (id: string): boolean => /^[!-+\--~]{1,128}$/.test(id);

const encoder = new TextEncoder();

function encodeConfig(config: Record<string, unknown>): string {
  let binary = "";
  for (const byte of encoder.encode(JSON.stringify(config))) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function readExperiment(value: unknown): SnapshotExperiment | string {
  const parsed = v.safeParse(experimentSchema, value);
  if (!parsed.success) return v.summarize(parsed.issues);
  const { id, variations, segments } = parsed.output;
  const ids = [id, ...[...variations, ...segments].map((each) => each.id)];
  const unfit = ids.find((each) => !isHeaderSafe(each));
  return unfit === undefined ? parsed.output : `the id ${JSON.stringify(unfit)} is not 1 to 128 of visible ASCII`;
}

function readCohorts(value: unknown): CohortIndex | null | string {
  if (value === undefined) return null;
  const parsed = v.safeParse(cohortIndexSchema, value, { abortEarly: true });
  return parsed.success ? parsed.output : v.summarize(parsed.issues);
}

function compileExperiment(experiment: SnapshotExperiment): CompiledExperiment {
  const variations = experiment.variations.map(({ id, key, config }) => ({
    id,
    key,
    config,
    encodedConfig: encodeConfig(config),
  }));
  return {
    id: experiment.id,
    status: experiment.status,
    epoch: experiment.epoch,
    flow: experiment.authentication_flow,
    ...(experiment.ended_at === undefined ? {} : { endedAtMs: Date.parse(experiment.ended_at) }),
    subject: experiment.subject,
    sticky: experiment.sticky,
    flagKey: experiment.flag_key,
    control: experiment.control,
    variations: new Map(variations.map((variation) => [variation.id, variation])),
    variationByKey: new Map(variations.map((variation) => [variation.key, variation])),
    segments: new Map(experiment.segments.map((segment) => [segment.id, segment.variation_id])),
    cohorts: null,
    asks: [],
  };
}

/** Keys of the flags that are enabled at the gate; null where the snapshot was published before flags could be. */
function readGate(value: unknown): ReadonlySet<string> | null | string {
  if (value === undefined) return null;
  const parsed = v.safeParse(v.unwrap(snapshotSchema.entries.gate), value, { abortEarly: true });
  return parsed.success ? new Set(parsed.output.flag_keys) : v.summarize(parsed.issues);
}

function compileGate(
  enabled: ReadonlySet<string> | null,
  {
    active,
    experiments,
    flagByKey,
    cohortNeedOf,
  }: Pick<CompiledSnapshot, "active" | "experiments" | "flagByKey" | "cohortNeedOf">,
): CompiledGate {
  const isEnabled = (flagKey: string) => enabled?.has(flagKey) ?? true;
  const own = active.filter(({ flagKey }) => isEnabled(flagKey));
  const taken = new Set(active.map(({ flagKey }) => flagKey));
  const rollouts = [...(enabled ?? [])].flatMap((key) => {
    const flag = taken.has(key) ? undefined : flagByKey.get(key);
    return flag === undefined ? [] : [compileRollout(flag, flagByKey, cohortNeedOf(key))];
  });
  return {
    isEnabled,
    active: own,
    rollouts,
    hasPendingExperiments: [...experiments.values()].some(
      ({ status, flagKey }) => isEnabled(flagKey) && (status === "active" || status === "draft" || status === "paused"),
    ),
    needsUser: own.some(({ subject, cohorts }) => subject === "user" || cohorts?.ofUsers === true),
  };
}

const isUserField = (selector: readonly string[], field: string) =>
  selector[0] === "context" && selector[1] === "user" && selector[2] === field;

function compileRollout(flag: Flag, flagByKey: ReadonlyMap<string, Flag>, cohorts: CohortNeed | null): CompiledRollout {
  const reached = withDependencies([flag.key], flagByKey);
  const segments = reached.flatMap((each) => each.segments);
  const buckets = segments.flatMap(({ bucket }) => (bucket === undefined ? [] : [bucket.selector]));
  const selectors = segments.flatMap(({ conditions = [] }) => conditions.flat().map(({ selector }) => selector));
  const ownBuckets = flag.segments.flatMap(({ bucket }) => (bucket === undefined ? [] : [bucket.selector]));
  const variations = Object.values(flag.variants).flatMap(({ key, payload, metadata }) => {
    const id = metadata?.variationId;
    if (typeof id !== "string" || !isHeaderSafe(id)) return [];
    const config = (payload ?? {}) as Record<string, unknown>;
    return [[key, { id, key, config, encodedConfig: encodeConfig(config) }] as const];
  });
  return {
    flagKey: flag.key,
    needsDevice: buckets.some((selector) => isUserField(selector, "device_id")),
    needsUser:
      cohorts?.ofUsers === true || [...buckets, ...selectors].some((selector) => isUserField(selector, "user_id")),
    needsLogin: ["client_id", "connection", "organization_id"].some((field) =>
      selectors.some((selector) => isUserField(selector, field)),
    ),
    subject: ownBuckets.some((selector) => isUserField(selector, "user_id")) ? "user" : "device",
    sticky: flag.segments.some(({ metadata }) => metadata?.segmentName === "sticky-bucketing"),
    cohorts,
    variations: new Map(variations),
  };
}

/** What a flag, or one it depends on, asks about cohorts. */
function createCohortNeed(flags: readonly Flag[], index: CohortIndex | null): (flagKey: string) => CohortNeed | null {
  const needsOf = createCohortNeeds(flags);
  return (flagKey) => {
    const ids = needsOf(flagKey);
    if (ids === null) return null;
    const found = ids.map((id) => (index !== null && Object.hasOwn(index.ready, id) ? index.ready[id] : undefined));
    return {
      ids,
      missing: ids.filter((_, place) => found[place] === undefined),
      ofUsers: found.some((cohort) => cohort?.id_type === "user"),
    };
  };
}

/**
 * Parses a stored snapshot.
 * @throws {SyntaxError} when it is not JSON; {ValiError} when it is no snapshot; {Error} when it is another tenant's.
 */
export function compileSnapshot(json: string, tenant: string): CompiledSnapshot {
  const snapshot = v.parse(envelopeSchema, JSON.parse(json));
  if (snapshot.tenant !== tenant) throw new Error(`snapshot of tenant ${snapshot.tenant} under ${tenant}'s key`);
  const faults: string[] = [];
  const experiments = new Map<string, CompiledExperiment>();
  for (const [position, value] of snapshot.experiments.entries()) {
    const experiment = readExperiment(value);
    if (typeof experiment === "string") faults.push(`experiments[${position}]: ${experiment}`);
    else if (experiments.has(experiment.id)) faults.push(`experiments[${position}]: ${experiment.id} stands twice`);
    else experiments.set(experiment.id, compileExperiment(experiment));
  }
  const written = snapshot.flags as Flag[];
  const flags = compileFlags(written);
  for (const [key, fault] of flags.faults) faults.push(`flag ${key}: ${fault}`);
  const index = readCohorts(snapshot.cohorts);
  if (typeof index === "string") faults.push(`cohorts: ${index}`);
  const cohorts = typeof index === "string" ? null : index;
  const sound = written.filter((flag) => typeof flag?.key === "string" && !flags.faults.has(flag.key));
  const flagByKey = new Map(sound.map((flag) => [flag.key, flag]));
  const cohortNeedOf = createCohortNeed(sound, cohorts);
  const active = [...experiments.values()].filter(({ status }) => status === "active");
  for (const experiment of active) {
    const flag = flagByKey.get(experiment.flagKey);
    experiment.cohorts = cohortNeedOf(experiment.flagKey);
    if (flag) experiment.asks = askedProperties(flag);
  }
  const gate = readGate(snapshot.gate);
  if (typeof gate === "string") faults.push(`gate: ${gate}`);
  return {
    tenant,
    version: snapshot.version,
    gate: compileGate(typeof gate === "string" ? null : gate, { active, experiments, flagByKey, cohortNeedOf }),
    flags,
    experiments,
    active,
    cohorts,
    flagByKey,
    cohortNeedOf,
    deployments: snapshot.deployments,
    unserved: snapshot.unserved,
    faults,
  };
}
