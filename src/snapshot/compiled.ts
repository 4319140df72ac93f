/** A snapshot made ready for use: parsed, checked and compiled once a version. */
import * as v from "valibot";
import { type CompiledFlags, compileFlags } from "../engine/compile.ts";
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
  /** Their flags' keys, in the same order. */
  activeFlagKeys: readonly string[];
}

const encoder = new TextEncoder();

function encodeConfig(config: Record<string, unknown>): string {
  let binary = "";
  for (const byte of encoder.encode(JSON.stringify(config))) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
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
  const snapshot = v.parse(snapshotSchema, JSON.parse(json));
  if (snapshot.tenant !== tenant) throw new Error(`snapshot of tenant ${snapshot.tenant} under ${tenant}'s key`);
  const experiments = snapshot.experiments.map(compileExperiment);
  const active = experiments.filter((experiment) => experiment.status === "active");
  return {
    tenant,
    version: snapshot.version,
    flags: compileFlags(snapshot.flags),
    experiments: new Map(experiments.map((experiment) => [experiment.id, experiment])),
    active,
    activeFlagKeys: active.map((experiment) => experiment.flagKey),
  };
}
