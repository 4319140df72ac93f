/** What is answered of cohorts beside what the control plane knows of them. */
import { within } from "../../alarms/deadline.ts";
import type { Memberships } from "../../control/commands/explain.ts";
import type { CohortView } from "../../model/cohort.ts";
import type { ExplainQuery } from "../../model/explain-query.ts";
import { Problem } from "../../model/problem.ts";
import { type CohortObject, cohortStep, cohortsOf } from "./cohort-step.ts";
import type { Question } from "./step.ts";

/** Nobody waits longer to be shown a cohort. */
const statusMs = 1_000;
/** A refresh is answered once it is over, or after two seconds. */
const giveUpMs = 5_000;

/** The status is null where it cannot be told: the rest is answered all the same. */
export const withStatus = cohortStep(async ({ cohorts, answer }) => {
  const statuses = await statusesOf(cohorts).catch(() => null);
  const complete = (cohort: CohortView) => ({ ...cohort, status: statuses?.[cohort.id] ?? null });
  const { cohorts: list, ...rest } = answer as { cohorts?: CohortView[] };
  return { json: list === undefined ? complete(answer as CohortView) : { cohorts: list.map(complete), ...rest } };
});

export const refreshNow = cohortStep(async ({ cohorts, params }) => {
  const status = await within(giveUpMs, cohorts.refresh(params.id ?? ""));
  if (status === null) throw unknown();
  return { json: status };
});

export const findMember = cohortStep(async ({ cohorts, params }) => {
  const { id = "", member_id = "" } = params;
  const asked = Promise.all([cohorts.find(id, member_id), cohorts.status()]);
  const [isMember, statuses] = await within(giveUpMs, asked);
  if (isMember === null) throw unknown();
  return { json: { id: member_id, is_member: isMember, as_of: statuses[id]?.refreshed_at ?? null } };
});

/** A subject's cohorts, unless the query says which they are. */
export const askMemberships: Question = async (place, query): Promise<Memberships> => {
  const { device_id = null, user_id = null, cohort_ids } = query as ExplainQuery;
  if (cohort_ids !== undefined) return { memberships: null };
  try {
    return { memberships: await within(statusMs, cohortsOf(place).memberships({ device_id, user_id })) };
  } catch {
    return { memberships: null };
  }
};

/** The control plane has not got through to it since the cohort was made. */
export const unknown = () => new Problem("cohorts_unavailable", "They do not know the cohort yet.");

function statusesOf(cohorts: CohortObject) {
  return within(statusMs, cohorts.status());
}
