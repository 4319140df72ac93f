/** What would be left without a flag or a variation that is to be deleted. */
import type { FeatureFlag } from "../../model/feature-flag.ts";
import { Problem } from "../../model/problem.ts";
import { experimentsOn, membershipsOf } from "../../model/resources.ts";
import type { Variation } from "../../model/variation.ts";
import type { Draft } from "../tables.ts";

/** @throws {Problem} */
export function expectUnusedFlag(draft: Draft, flag: FeatureFlag): void {
  const resources = draft.resources();
  const experiments = experimentsOn(flag, resources).filter(({ status }) => status !== "archived");
  if (experiments.length > 0) throw new Problem("feature_flag_in_use", inUseBy(experiments.map(experimentName)));

  const dependents = dependentsOf(draft, flag).map(({ name }) => `feature flag "${name}"`);
  const groups = membershipsOf(flag.id, resources).map(({ group }) => `group "${group.name}"`);
  const users = [...dependents, ...groups];
  if (users.length > 0) throw new Problem("feature_flag_referenced", inUseBy(users));
}

/** @throws {Problem} */
export function expectUnusedVariation(draft: Draft, flag: FeatureFlag, { id, key }: Variation): void {
  const experiments = draft
    .all("experiment")
    .filter(({ status, allocations }) => status !== "archived" && allocations.some((a) => a.variation_id === id));
  if (experiments.length > 0) throw new Problem("variation_in_use", inUseBy(experiments.map(experimentName)));

  const { inclusions = {}, targeting = [], all_users } = flag.rollout ?? {};
  const isRolledOut =
    Object.hasOwn(inclusions, key) ||
    [...targeting, ...(all_users === undefined ? [] : [all_users])].some(({ weights }) => Object.hasOwn(weights, key));
  const dependents = dependentsOf(draft, flag).filter(({ rollout }) =>
    rollout?.dependencies?.[flag.key]?.includes(key),
  );
  const users = [
    ...(isRolledOut ? ["its feature flag's rollout"] : []),
    ...dependents.map(({ name }) => `the dependencies of feature flag "${name}"`),
  ];
  if (users.length > 0) throw new Problem("variation_referenced", inUseBy(users));
}

/** Flags that let subjects through by what `flag` gives them; archived ones serve nobody. */
function dependentsOf(draft: Draft, flag: FeatureFlag): FeatureFlag[] {
  return draft
    .all("feature_flag")
    .filter(({ status, rollout }) => status !== "archived" && Object.hasOwn(rollout?.dependencies ?? {}, flag.key));
}

const experimentName = ({ name, id }: { name: string; id: string }) => `experiment "${name}" (${id})`;
const inUseBy = (users: readonly string[]) => `In use by ${users.join(", ")}.`;
