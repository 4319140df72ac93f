/** Conditions on the cohorts that a subject is in: a list of their ids, which only set operators read as one. */

export const cohortIdsSelector: readonly string[] = ["context", "user", "cohort_ids"];

/** Whether it selects the list of cohorts, or something in it. */
export function selectsCohorts(selector: readonly string[]): boolean {
  return cohortIdsSelector.every((name, place) => selector[place] === name);
}

/** What is wrong with a condition that selects them; undefined when nothing is, or it selects something else. */
export function findCohortFault({ selector, op }: { selector: readonly string[]; op: string }): string | undefined {
  if (!selectsCohorts(selector)) return undefined;
  if (selector.length > cohortIdsSelector.length)
    return "cohort_ids is a list of ids: there is nothing to select in it";
  if (op.startsWith("set ")) return undefined;
  return `cohort_ids is a list, which only set operators compare: use set contains any or set does not contain any, not ${op}`;
}
