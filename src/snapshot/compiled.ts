/** A snapshot made ready for use: parsed, checked and compiled once a version. */
import * as v from "valibot";
import { type CompiledFlags, compileFlags } from "../engine/compile.ts";
import type { Flag } from "../engine/flag.ts";
import { type SnapshotExperiment, snapshotSchema } from "../model/snapshot.ts";

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
}

export interface CompiledSnapshot {
  tenant: string;
  version: number;
  flags: CompiledFlags;
  experiments: ReadonlyMap<string, CompiledExperiment>;
  /** Those that are assigned today. */
  active: readonly CompiledExperiment[];
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
  const flags = compileFlags(snapshot.flags as Flag[]);
  for (const [key, fault] of flags.faults) faults.push(`flag ${key}: ${fault}`);
  const active = [...experiments.values()].filter((experiment) => experiment.status === "active");
  return {
    tenant,
    version: snapshot.version,
    flags,
    experiments,
    active,
    faults,
  };
}
