/**
 * Our flags as OpenFeature's, which hold one value each: a flag's value is the object of its parameters, and each parameter
 * is a flag as well, `<flag>.<parameter>`, of its own type. A subject that takes no part gets no value: the caller's default.
 */
import type { Assignment } from "../../assignment/decide.ts";
import type { User } from "../../assignment/evaluation.ts";
import type { Served } from "../../assignment/serve.ts";
import type { CompiledSnapshot } from "../../snapshot/compiled.ts";
import { unservedOf } from "../../snapshot/deployments.ts";
import { isRecord } from "../serving/json.ts";
import { type Reason, reasonOf } from "../serving/reason.ts";
import { type Failure, failureOf } from "./refuse.ts";

/** Flat, as the protocol wants it. */
export type Metadata = Record<string, string | number | boolean>;

export interface Evaluation {
  key: string;
  value?: unknown;
  reason: "STATIC" | "TARGETING_MATCH" | "SPLIT" | "DISABLED";
  variant?: string;
  metadata?: Metadata;
}

const reasons: Readonly<Record<Reason, Evaluation["reason"]>> = {
  forced: "TARGETING_MATCH",
  inclusion: "TARGETING_MATCH",
  dependency: "TARGETING_MATCH",
  segment: "TARGETING_MATCH",
  sticky: "SPLIT",
  split: "SPLIT",
  no_subject: "SPLIT",
  everyone: "STATIC",
  rest: "STATIC",
};

const withheldFor = {
  cohort_unavailable: "Nobody can tell now which cohorts the subject is in.",
  flag_broken: "The feature flag cannot be evaluated.",
} as const;

/** A flag's key has no dot; a parameter's name may. */
export function partsOf(key: string): { flagKey: string; parameter: string | null } {
  const dot = key.indexOf(".");
  return dot < 0 ? { flagKey: key, parameter: null } : { flagKey: key.slice(0, dot), parameter: key.slice(dot + 1) };
}

/** Names of the flag's parameters, in one order; null where they are not known, as of a flag that is broken. */
export function parametersOf(snapshot: CompiledSnapshot, flagKey: string): readonly string[] | null {
  const payloads = Object.values(snapshot.flagByKey.get(flagKey)?.variants ?? {}).map(({ payload }) => payload);
  const config = payloads.find(isRecord);
  return config === undefined ? (unservedOf(snapshot).get(flagKey) ?? null) : Object.keys(config);
}

export interface Evaluated {
  snapshot: CompiledSnapshot;
  user: User;
  served: Served;
  /** What exposures name assignments by. */
  names: ReadonlyMap<Assignment, string>;
  /** Of the whole answer. */
  metadata: Metadata;
}

/** Of a flag that is enabled in the deployment; undefined for a parameter that it has not. */
export function evaluationOf(key: string, evaluated: Evaluated): Evaluation | ReturnType<typeof failureOf> | undefined {
  const { snapshot, user, served, names, metadata } = evaluated;
  const { flagKey, parameter } = partsOf(key);
  const parameters = parametersOf(snapshot, flagKey);
  if (parameter !== null && parameters !== null && !parameters.includes(parameter)) return undefined;
  const why = served.withheld.get(flagKey);
  if (why !== undefined)
    return failureOf(key, { errorCode: "GENERAL", errorDetails: withheldFor[why] } satisfies Failure);
  const flag = served.flags.find((each) => each.key === flagKey);
  if (flag === undefined) return { key, reason: "DISABLED", ...ifAny(metadata) };
  const reason = reasons[reasonOf(snapshot.flagByKey.get(flagKey), flag, user)];
  const { variant, assignment } = flag;
  if (variant.key === "off") return { key, reason, ...ifAny(metadata) };
  const config = isRecord(variant.payload) ? variant.payload : {};
  return {
    key,
    value: parameter === null ? config : config[parameter],
    reason,
    variant: variant.key,
    ...ifAny({ ...metadata, ...metadataOf(assignment, names) }),
  };
}

function metadataOf(assignment: Assignment | null, names: ReadonlyMap<Assignment, string>): Metadata {
  if (assignment === null) return {};
  const { experiment, variation, control, segmentId, epoch, method } = assignment;
  const name = names.get(assignment);
  return {
    experiment_id: experiment.id,
    variation_id: variation.id,
    control,
    epoch,
    method,
    ...(segmentId === undefined ? {} : { segment_id: segmentId }),
    ...(name === undefined ? {} : { assignment_id: name }),
  };
}

const ifAny = (metadata: Metadata) => (Object.keys(metadata).length === 0 ? {} : { metadata });
