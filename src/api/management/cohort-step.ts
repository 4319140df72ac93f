/** What the tenant's cohort object does for an operation. */
import type { Cohorts } from "../../cohorts/cohorts.ts";
import type { Place, Step, StepAnswer, StepCall } from "./step.ts";

export type CohortObject = Pick<Cohorts, "status" | "refresh" | "find" | "push" | "list" | "memberships">;

export interface CohortCall extends StepCall {
  cohorts: CohortObject;
}

export function cohortStep(run: (call: CohortCall) => Promise<StepAnswer>): Step {
  return { unavailable: "cohorts_unavailable", run: (call) => run({ ...call, cohorts: cohortsOf(call) }) };
}

export function cohortsOf({ tenant, bindings: { COHORTS } }: Place): CohortObject {
  return COHORTS.get(COHORTS.idFromName(tenant.id)) as unknown as CohortObject;
}
