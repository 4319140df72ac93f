/**
 * A tenant's resources as one JSON file written by hand: as the management API shows them, with variations under their
 * flag, and less to write. Keys come from names, ids from keys, times from the reader. Wherever the id of another
 * resource is asked, its key does too, or a segment's name.
 */
import * as v from "valibot";
import {
  type Configuration,
  type ConfiguredExperiment,
  type ConfiguredFlag,
  configurationSchema,
} from "./configuration-schema.ts";
import type { Experiment } from "./experiment.ts";
import { type FeatureFlag, flagKeySchema } from "./feature-flag.ts";
import { slug } from "./fields.ts";
import { derivedId } from "./ids.ts";
import type { Resources } from "./resources.ts";
import type { Rollout } from "./rollout.ts";
import type { Segment } from "./segment.ts";
import { type Variation, variationKeySchema } from "./variation.ts";

/** One fault of a file: where, and what would be right. */
export interface ConfigurationProblem {
  /** Such as `feature_flags[0].variations[1].name`; empty for the file as a whole. */
  path: string;
  message: string;
}

/**
 * Reads parsed JSON as resources. References are resolved, not checked: `checkResources` finds what does not exist.
 * @param options.at ISO time for the resources that bear none
 * @returns the resources, or every fault
 */
export function readConfiguration(
  input: unknown,
  options: { at: string },
): { resources: Resources } | { problems: ConfigurationProblem[] } {
  const parsed = v.safeParse(configurationSchema, input);
  if (!parsed.success) return { problems: parsed.issues.map(problemOf) };
  const problems = parsed.output.feature_flags.flatMap(keyProblems);
  return problems.length > 0 ? { problems } : { resources: resourcesOf(parsed.output, options.at) };
}

function resourcesOf(configuration: Configuration, at: string): Resources {
  const times = { created_at: at, updated_at: at };
  const segments = configuration.segments.map(
    (segment): Segment => ({ ...times, ...segment, id: segment.id ?? derivedId("seg", segment.name) }),
  );
  const flags = configuration.feature_flags.map((configured) => {
    const { variations, rollout, ...rest } = configured;
    const key = flagKey(configured);
    const flag: FeatureFlag = {
      ...times,
      ...rest,
      key,
      id: configured.id ?? derivedId("flg", key),
      ...(rollout === undefined ? {} : { rollout: resolvedRollout(rollout, segments) }),
    };
    return { flag, variations: variations.map((variation) => variationOf(variation, flag, times)) };
  });
  return {
    feature_flags: flags.map(({ flag }) => flag),
    variations: flags.flatMap(({ variations }) => variations),
    experiments: configuration.experiments.map((experiment) => experimentOf(experiment, flags, segments, times)),
    segments,
    groups: [],
    deployments: [],
  };
}

interface Times {
  created_at: string;
  updated_at: string;
}

function variationOf(configured: ConfiguredFlag["variations"][number], flag: FeatureFlag, times: Times): Variation {
  const key = configured.key ?? slug(configured.name);
  const id = configured.id ?? derivedId("var", `${flag.key}/${key}`);
  return { ...times, ...configured, key, id, feature_flag_id: flag.id };
}

function experimentOf(
  configured: ConfiguredExperiment,
  flags: readonly { flag: FeatureFlag; variations: readonly Variation[] }[],
  segments: readonly Segment[],
  times: Times,
): Experiment {
  const flagId = idOf(
    flags.map(({ flag }) => flag),
    configured.feature_flag_id,
  );
  const variations = flags.find(({ flag }) => flag.id === flagId)?.variations ?? [];
  return {
    ...times,
    ...configured,
    id: configured.id ?? derivedId("exp", configured.name),
    feature_flag_id: flagId,
    allocations: configured.allocations.map((allocation) => ({
      ...allocation,
      variation_id: idOf(variations, allocation.variation_id),
      ...resolvedSegment(allocation, segments),
    })),
  };
}

function resolvedRollout(rollout: NonNullable<ConfiguredFlag["rollout"]>, segments: readonly Segment[]): Rollout {
  const { targeting, ...rest } = rollout;
  if (targeting === undefined) return rest;
  return { ...rest, targeting: targeting.map((target) => ({ ...target, ...resolvedSegment(target, segments) })) };
}

function resolvedSegment(
  { segment_id }: { segment_id?: string },
  segments: readonly Segment[],
): { segment_id?: string } {
  if (segment_id === undefined) return {};
  return {
    segment_id: idOf(
      segments.map(({ id, name }) => ({ id, key: name })),
      segment_id,
    ),
  };
}

/** Ids go before keys; what is neither stays as it is, and is found missing later. */
function idOf(candidates: readonly { id: string; key: string }[], reference: string): string {
  const found = candidates.find(({ id }) => id === reference) ?? candidates.find(({ key }) => key === reference);
  return found?.id ?? reference;
}

function flagKey(flag: ConfiguredFlag): string {
  return flag.key ?? slug(flag.name);
}

/** Names whose slug is no key. A key that was given has been checked with the rest. */
function keyProblems(flag: ConfiguredFlag, place: number): ConfigurationProblem[] {
  const at = `feature_flags[${place}]`;
  return [
    ...slugProblems(flagKeySchema, flagKey(flag), at),
    ...flag.variations.flatMap(({ key, name }, index) =>
      slugProblems(variationKeySchema, key ?? slug(name), `${at}.variations[${index}]`),
    ),
  ];
}

function slugProblems(
  schema: typeof flagKeySchema | typeof variationKeySchema,
  key: string,
  at: string,
): ConfigurationProblem[] {
  const { issues = [] } = v.safeParse(schema, key);
  return issues.map(({ message }) => ({
    path: `${at}.key`,
    message: `the name gives the key "${key}", which ${message}`,
  }));
}

function problemOf(issue: v.BaseIssue<unknown>): ConfigurationProblem {
  const path = (issue.path ?? []).reduce(
    (text, { key }) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${key}`),
    "",
  );
  return { path, message: messageOf(issue) };
}

/** Most schemas word what a value must be; the rest is said alike for all. */
function messageOf(issue: v.BaseIssue<unknown>): string {
  if (!issue.message.startsWith("Invalid ")) return issue.message;
  if (issue.type === "strict_object" && issue.expected === "never") return "is not a known property";
  if (issue.type === "strict_object" && issue.expected !== "Object") return "is missing";
  return `must be ${issue.expected === "Object" ? "an object" : issue.expected}, not ${issue.received}`;
}
