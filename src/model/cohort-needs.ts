/** Which cohorts a flag asks about, so that membership is looked up only where somebody's variation hangs on it. */
import type { Flag } from "../engine/flag.ts";
import { selectsCohorts } from "./compile/cohort-conditions.ts";
import { memo } from "./memo.ts";

/** Ids of the cohorts that a flag's own conditions name; null when none is about cohorts. */
const ownNeeds = memo((flag: Flag): { ids: readonly string[] | null } => {
  let ids: string[] | null = null;
  for (const { conditions } of flag.segments) {
    for (const { selector, values } of (conditions ?? []).flat()) {
      if (selectsCohorts(selector)) ids = [...(ids ?? []), ...values];
    }
  }
  return { ids };
});

/** The flags under these keys, as far as they are there, and those that they depend on, directly or not. */
export function withDependencies(keys: readonly string[], flagByKey: ReadonlyMap<string, Flag>): Flag[] {
  const seen = new Set(keys);
  // A set is walked in the order of its additions, also those made on the way.
  for (const key of seen) for (const dependency of flagByKey.get(key)?.dependencies ?? []) seen.add(dependency);
  return [...seen].flatMap((key) => flagByKey.get(key) ?? []);
}

/**
 * Ids of the cohorts that a flag asks about, itself or through those it depends on; null when it asks about none.
 * @param flags sound ones only: what is missing is not evaluated either
 */
export function createCohortNeeds(flags: readonly Flag[]): (flagKey: string) => readonly string[] | null {
  const byKey = new Map(flags.map((flag) => [flag.key, flag]));
  return (flagKey) => {
    const needs = withDependencies([flagKey], byKey).map((flag) => ownNeeds(flag).ids);
    return needs.every((ids) => ids === null) ? null : [...new Set(needs.flatMap((ids) => ids ?? []))];
  };
}
