/**
 * A tenant's resources as one file: as the management API shows them, with variations under their flag, and less to write.
 * Keys come from names as they do in the API, ids from keys, times from the reader. Wherever the id of another resource is asked, its key does
 * too, or the name of a segment, a cohort or a deployment.
 */
import { type Cohort, defaultRefreshMinutes } from "../cohort.ts";
import { selectsCohorts } from "../compile/cohort-conditions.ts";
import { type Deployment, gateDeployment } from "../deployment.ts";
import type { Experiment } from "../experiment.ts";
import { type FeatureFlag, flagKeySchema } from "../feature-flag.ts";
import { keySchema } from "../fields.ts";
import type { Group } from "../group.ts";
import type { IdKind } from "../ids.ts";
import { type Resources, variationsOf } from "../resources.ts";
import type { RolloutTarget } from "../rollout.ts";
import type { Segment, SegmentRule } from "../segment.ts";
import { type Variation, variationKeySchema } from "../variation.ts";
import { createKeyed, type Identity, identify } from "./configuration-identity.ts";
import type { ConfigurationProblem, Report } from "./configuration-problem.ts";
import { type Candidate, createResolve, type Resolve } from "./configuration-references.ts";
import {
  type Configuration,
  type ConfiguredExperiment,
  type ConfiguredFlag,
  type ConfiguredGroup,
  configurationVersion,
} from "./configuration-schema.ts";
import { parseConfiguration } from "./parse-configuration.ts";

const nothing: Resources = {
  feature_flags: [],
  variations: [],
  experiments: [],
  segments: [],
  groups: [],
  deployments: [],
  cohorts: [],
};

interface Reading {
  at: string;
  current: Resources;
  report: Report;
  flagId: Resolve;
  segmentId: Resolve;
  cohortId: Resolve;
  deploymentId: Resolve;
  /** Of a file that does not know the gate yet, ids of the flags that have an experiment; null for any other. */
  flagsWithExperiments: ReadonlySet<string> | null;
  /** Whether "gate" means the built-in deployment; in such a file it may be the name of another. */
  hasGate: boolean;
}

/**
 * Reads parsed JSON as resources, in the file's order. Ids of nothing are found by `checkResources`.
 * @param options.at ISO time for what is new
 * @param options.current what is there already: it may be referred to, and what the file names of it keeps its id, its
 *   keys, and whatever the file says nothing about and need not
 * @returns the resources the file names, or every fault
 */
export function readConfiguration(
  input: unknown,
  { at, current = nothing }: { at: string; current?: Resources },
): { resources: Resources } | { problems: ConfigurationProblem[] } {
  const parsed = parseConfiguration(input);
  if ("problems" in parsed) return parsed;
  const problems: ConfigurationProblem[] = [];
  const report: Report = (path, message) => void problems.push({ path, message });
  const resources = resourcesOf(parsed.file, at, current, report);
  return problems.length > 0 ? { problems } : { resources };
}

function resourcesOf(file: Configuration, at: string, current: Resources, report: Report): Resources {
  const resolve = (kind: IdKind, what: string, ...candidates: Candidate[][]) =>
    createResolve({ kind, what, candidates: candidates.flat(), report });
  const cohorts = file.cohorts.map((entry): Cohort => {
    const [known, own] = identify(entry, current.cohorts, "coh", at);
    return { ...own, refresh_minutes: known?.refresh_minutes ?? defaultRefreshMinutes, ...entry };
  });
  const cohortId = resolve("coh", "cohort", names(cohorts), names(current.cohorts));
  const segments = file.segments.map((entry, place): Segment => {
    const [known, own] = identify(entry, current.segments, "seg", at);
    const rules = entry.rules.map((rule, index) => ruleOf(rule, `segments[${place}].rules[${index}]`, cohortId));
    return { ...own, type: known?.type ?? "self", ...entry, rules };
  });
  const deployments = file.deployments.map((entry): Deployment => {
    const [known, own] = identify(entry, current.deployments, "dep", at);
    const { key_hash = "", key } = known ?? {};
    return { ...own, ...entry, key_hash, ...(key === undefined ? {} : { key }) };
  });
  const keyedFlag = createKeyed(file.feature_flags, current.feature_flags, {
    kind: "flg",
    fallback: "flag",
    schema: flagKeySchema,
    at,
    report,
  });
  const flags = file.feature_flags.map((entry, place) => {
    const [known, own] = keyedFlag(entry, `feature_flags[${place}]`);
    return { entry, known, own };
  });
  const reading: Reading = {
    at,
    current,
    report,
    flagId: resolve(
      "flg",
      "feature flag",
      flags.map(({ own }): Candidate => [own.id, own.key]),
      current.feature_flags.map(({ id, key }): Candidate => [id, key]),
    ),
    segmentId: resolve("seg", "segment", names(segments), names(current.segments)),
    cohortId,
    deploymentId: resolve("dep", "deployment", names(deployments), names(current.deployments)),
    flagsWithExperiments: null,
    hasGate: true,
  };
  if (file.version !== configurationVersion) {
    // What an experiment refers to and is not there is reported where the experiment is read.
    const byName = new Map(flags.flatMap(({ own }) => [[own.id, own.id] as const, [own.key, own.id] as const]));
    const named = file.experiments.map(({ feature_flag_id }) => byName.get(feature_flag_id) ?? feature_flag_id);
    const known = current.experiments.map(({ feature_flag_id }) => feature_flag_id);
    reading.flagsWithExperiments = new Set([...named, ...known]);
    reading.hasGate = [...deployments, ...current.deployments].every(({ name }) => name !== gateDeployment);
  }
  const variations = flags.flatMap(({ entry, known, own }, place) => {
    const siblings = known === undefined ? [] : variationsOf(known, current);
    const keyed = createKeyed(entry.variations, siblings, {
      kind: "var",
      fallback: "variation",
      schema: variationKeySchema,
      at,
      within: `${own.key}/`,
      report,
    });
    return entry.variations.map((variation, index): Variation => {
      const [, { key, ...identity }] = keyed(variation, `feature_flags[${place}].variations[${index}]`);
      return { ...identity, feature_flag_id: own.id, key, ...variation };
    });
  });
  const keyedGroup = (type: Group["type"]) => {
    const ofType = ({ type: own }: { type: Group["type"] }) => own === type;
    const options = { kind: "grp", fallback: "group", schema: keySchema, at, report } as const;
    return createKeyed(file.groups.filter(ofType), current.groups.filter(ofType), options);
  };
  const keyedGroups = { mutual_exclusion: keyedGroup("mutual_exclusion"), holdout: keyedGroup("holdout") };
  const ownVariations = Map.groupBy([...variations, ...current.variations], (one) => one.feature_flag_id);
  return {
    feature_flags: flags.map(({ entry, known, own }, place) =>
      flagOf(entry, known, own, `feature_flags[${place}]`, reading),
    ),
    variations,
    experiments: file.experiments.map((entry, place) => experimentOf(entry, place, ownVariations, reading)),
    segments,
    groups: file.groups.map((entry, place) => groupOf(entry, place, keyedGroups[entry.type], reading)),
    deployments,
    cohorts,
  };
}

function flagOf(
  { variations: _, rollout, ...entry }: ConfiguredFlag,
  known: FeatureFlag | undefined,
  own: Identity & { key: string },
  path: string,
  reading: Reading,
): FeatureFlag {
  const { segmentId, cohortId } = reading;
  const targeting = rollout?.targeting?.map((target, index) => {
    const under = `${path}.rollout.targeting[${index}]`;
    return { ...target, ...resolvedConditions(target, under, cohortId), ...resolvedSegment(target, under, segmentId) };
  });
  return {
    ...own,
    type: known?.type ?? "self",
    status: known?.status ?? "active",
    ...entry,
    deployments: deploymentsOf(entry.deployments, own.id, path, reading),
    ...(rollout === undefined ? {} : { rollout: { ...rollout, ...(targeting === undefined ? {} : { targeting }) } }),
  } as FeatureFlag;
}

function deploymentsOf(
  named: readonly string[] | undefined,
  flagId: string,
  path: string,
  { deploymentId, flagsWithExperiments, hasGate }: Reading,
): string[] {
  // Unlike a name in a file of version 1, the default never means a deployment that is named gate.
  if (named === undefined) return [gateDeployment];
  const deployments = named.map((name, index) =>
    name === gateDeployment && hasGate ? name : deploymentId(name, `${path}.deployments[${index}]`),
  );
  if (flagsWithExperiments === null || deployments.includes(gateDeployment)) return deployments;
  // As the control plane migrates what it stored before flags could be enabled at the gate.
  return deployments.length === 0 || flagsWithExperiments.has(flagId) ? [...deployments, gateDeployment] : deployments;
}

function experimentOf(
  entry: ConfiguredExperiment,
  place: number,
  variations: ReadonlyMap<string, readonly Variation[]>,
  { at, current, flagId, segmentId, report }: Reading,
): Experiment {
  const path = `experiments[${place}]`;
  const [known, own] = identify(entry, current.experiments, "exp", at);
  const feature_flag_id = flagId(entry.feature_flag_id, `${path}.feature_flag_id`);
  const candidates = (variations.get(feature_flag_id) ?? []).map(({ id, key }): Candidate => [id, key]);
  const variationId = createResolve({ kind: "var", what: "variation", candidates, isListed: true, report });
  return {
    ...own,
    authentication_flow: known?.authentication_flow ?? "authentication",
    allocation_strategy: known?.allocation_strategy ?? "percentage",
    assignment_config: known?.assignment_config ?? { subject: "device" },
    status: known?.status ?? "draft",
    epoch: known?.epoch ?? 1,
    ...(known?.is_stateful === undefined ? {} : { is_stateful: known.is_stateful }),
    ...entry,
    feature_flag_id,
    allocations: entry.allocations.map((allocation, index) => {
      const under = `${path}.allocations[${index}]`;
      return {
        ...allocation,
        variation_id: variationId(allocation.variation_id, `${under}.variation_id`),
        ...resolvedSegment(allocation, under, segmentId),
      };
    }),
  };
}

function groupOf(
  entry: ConfiguredGroup,
  place: number,
  keyed: ReturnType<typeof createKeyed<Group>>,
  { flagId }: Reading,
): Group {
  const [, common] = keyed(entry, `groups[${place}]`);
  const flagIds = (references: readonly string[], under: string) =>
    references.map((reference, index) => flagId(reference, `${under}feature_flag_ids[${index}]`));
  if (entry.type === "holdout") {
    return { ...common, ...entry, feature_flag_ids: flagIds(entry.feature_flag_ids, `groups[${place}].`) };
  }
  const slots = entry.slots.map(({ percentage, feature_flag_ids }, index) => ({
    percentage,
    feature_flag_ids: flagIds(feature_flag_ids, `groups[${place}].slots[${index}].`),
  }));
  return { ...common, ...entry, slots };
}

function resolvedSegment({ segment_id }: { segment_id?: string }, path: string, segmentId: Resolve) {
  return segment_id === undefined ? {} : { segment_id: segmentId(segment_id, `${path}.segment_id`) };
}

function ruleOf(rule: SegmentRule, path: string, cohortId: Resolve): SegmentRule {
  const resolved: SegmentRule = { ...rule };
  for (const side of ["match", "not_match"] as const) {
    const { cohort, ...rest } = rule[side] ?? {};
    if (cohort === undefined) continue;
    const ids = cohort.map((reference, index) => cohortId(reference, `${path}.${side}.cohort[${index}]`));
    resolved[side] = { ...rest, cohort: ids };
  }
  return resolved;
}

function resolvedConditions({ conditions }: Pick<RolloutTarget, "conditions">, path: string, cohortId: Resolve) {
  if (conditions === undefined) return {};
  const resolved = conditions.map((branch, group) =>
    branch.map((condition, place) => {
      if (!selectsCohorts(condition.selector)) return condition;
      const under = `${path}.conditions[${group}][${place}].values`;
      return { ...condition, values: condition.values.map((value, index) => cohortId(value, `${under}[${index}]`)) };
    }),
  );
  return { conditions: resolved };
}

function names(items: readonly { id: string; name: string }[]): Candidate[] {
  return items.map(({ id, name }) => [id, name]);
}
