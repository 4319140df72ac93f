/** A snapshot made ready for use: parsed, checked and compiled once a version. */
import * as v from "valibot";
import { type CompiledFlags, compileFlags } from "../engine/compile.ts";
import type { Flag } from "../engine/flag.ts";
import { askedProperties, type PropertyPath } from "../model/asked-properties.ts";
import { createCohortNeeds } from "../model/cohort-needs.ts";
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
  /** Those that are assigned today. */
  active: readonly CompiledExperiment[];
  /** Where cohorts' members are found; null when there is no index, or none that can be read. */
  cohorts: CohortIndex | null;
  cohortNeedOf(flagKey: string): CohortNeed | null;
  /** As they were published: `deployments.ts` reads them once they are asked for. */
  deployments: unknown;
  /** Likewise. */
  unserved: unknown;
  /** Whether an active experiment asks about cohorts. */
  asksCohorts: boolean;
  /** Whether an active experiment hangs on who the user is. */
  asksUser: boolean;
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
  cohorts: v.exactOptional(v.unknown()),
});
const experimentSchema = snapshotSchema.entries.experiments.item;

/** Ids travel in headers, in lists parted by commas; one that cannot would break every request it is stamped on. */
export const travels = (id: string): boolean => /^[!-+\--~]{1,128}$/.test(id);

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
  const unfit = ids.find((each) => !travels(each));
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
  return {
    tenant,
    version: snapshot.version,
    flags,
    experiments,
    active,
    cohorts,
    flagByKey,
    cohortNeedOf,
    deployments: snapshot.deployments,
    unserved: snapshot.unserved,
    asksCohorts: active.some((experiment) => experiment.cohorts !== null),
    asksUser: active.some(({ subject, cohorts: asked }) => subject === "user" || asked?.ofUsers === true),
    faults,
  };
}
