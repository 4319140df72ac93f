/** Whether a tenant's resources can be published as they stand. */

import { groupFlagKey } from "../group.ts";
import { type ResourceProblem, type Resources, variationsOf } from "../resources.ts";
import { checkReadiness, checkReferences, type ReadinessOptions } from "./check-experiment.ts";
import { checkFlag } from "./check-flag.ts";
import { checkGroup } from "./check-group.ts";
import { checkSegment } from "./check-segment.ts";

/**
 * Every fault, once; empty when there is none. Drafts may be incomplete and are only asked that what they refer to
 * exists; active experiments have to be ready.
 */
export function checkResources(resources: Resources, options: ReadinessOptions = {}): ResourceProblem[] {
  return [
    ...checkUnique(resources),
    ...resources.feature_flags.flatMap((flag) => checkFlag(flag, resources)),
    ...resources.segments.flatMap((segment) => checkSegment(segment, resources)),
    ...resources.groups.flatMap((group) => checkGroup(group, resources)),
    ...resources.experiments.flatMap((experiment) => [
      ...(experiment.status === "archived" ? [] : checkReferences(experiment, resources)),
      ...(experiment.status === "active" ? checkReadiness(experiment, resources, options) : []),
    ]),
  ];
}

function checkUnique(resources: Resources): ResourceProblem[] {
  const { feature_flags, experiments, segments, cohorts, groups, deployments } = resources;
  const variations = feature_flags.map((flag) => variationsOf(flag, resources));
  return [
    ...(["id", "key", "name"] as const).flatMap((field) => [
      ...repeated(feature_flags, field, (index) => `feature_flags[${index}]`),
      ...variations.flatMap((own, flag) =>
        repeated(own, field, (index) => `feature_flags[${flag}].variations[${index}]`),
      ),
    ]),
    ...(["id", "name"] as const).flatMap((field) => [
      ...repeated(experiments, field, (index) => `experiments[${index}]`),
      ...repeated(segments, field, (index) => `segments[${index}]`),
      ...repeated(cohorts, field, (index) => `cohorts[${index}]`),
      ...repeated(groups, field, (index) => `groups[${index}]`),
      ...repeated(deployments, field, (index) => `deployments[${index}]`),
    ]),
    ...repeated(
      groups.map((group) => ({ key: groupFlagKey(group) })),
      "key",
      (index) => `groups[${index}]`,
    ),
    ...repeatedAcross(variations),
  ];
}

function repeated<const Field extends "id" | "key" | "name">(
  items: readonly Record<Field, string>[],
  field: Field,
  at: (index: number) => string,
): ResourceProblem[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const value = item[field];
    const isRepeated = seen.has(value);
    seen.add(value);
    const message = `another has ${field} ${value} already`;
    return isRepeated ? [{ code: `duplicate_${field}` as const, message, path: `${at(index)}.${field}` }] : [];
  });
}

/** A variation's id must be its own among the variations of all flags, its key and name only within its flag. */
function repeatedAcross(variations: readonly (readonly { id: string }[])[]): ResourceProblem[] {
  const owner = new Map<string, number>();
  return variations.flatMap((own, flag) =>
    own.flatMap(({ id }, index) => {
      const first = owner.get(id) ?? flag;
      owner.set(id, first);
      if (first === flag) return [];
      const message = `feature_flags[${first}] has a variation with id ${id} already`;
      return [{ code: "duplicate_id" as const, message, path: `feature_flags[${flag}].variations[${index}].id` }];
    }),
  );
}
