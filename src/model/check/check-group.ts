/** What keeps a group from being formed. */
import type { Group } from "../group.ts";
import { byId, membershipsOf, placeOf, type ResourceProblem, type Resources } from "../resources.ts";

/** Everything wrong with `group`, which must be one of `resources`. */
export function checkGroup(group: Group, resources: Resources): ResourceProblem[] {
  const problems: ResourceProblem[] = [];
  const report = (code: ResourceProblem["code"], message: string, under: string) => {
    problems.push({ code, message, path: `groups[${placeOf(resources.groups, group.id)}].${under}` });
  };
  const taken = group.type === "holdout" ? 0 : group.slots.reduce((sum, { percentage }) => sum + percentage, 0);
  if (taken > 100) {
    report("group_invalid_slots", `the percentages of all slots must total at most 100, not ${taken}`, "slots");
  }
  const seen = new Set<string>();
  for (const { flagId, path } of places(group)) {
    const flag = byId(resources.feature_flags, flagId);
    const other = membershipsOf(flagId, resources).find(
      (one) => one.group.type === group.type && one.group.id !== group.id,
    );
    if (flag === undefined) report("feature_flag_not_found", `no feature flag ${flagId}`, path);
    else if (seen.has(flagId)) report("group_duplicate_flag", `${flag.name} (${flagId}) is in the group already`, path);
    else if (other !== undefined) {
      const kind = group.type === "holdout" ? "holdout" : "mutual exclusion group";
      const message = `${flag.name} (${flagId}) is in "${other.group.name}" already; a flag may be in one ${kind}`;
      report("group_duplicate_flag", message, path);
    }
    seen.add(flagId);
  }
  return problems;
}

/** Every mention of a flag, and where it stands. */
function places(group: Group): { flagId: string; path: string }[] {
  const mentions = (ids: readonly string[], under: string) =>
    ids.map((flagId, index) => ({ flagId, path: `${under}feature_flag_ids[${index}]` }));
  if (group.type === "holdout") return mentions(group.feature_flag_ids, "");
  return group.slots.flatMap(({ feature_flag_ids }, index) => mentions(feature_flag_ids, `slots[${index}].`));
}
