/** Who an explanation is asked about: ids and attributes as a query string gives them, as the gate would find them. */
import * as v from "valibot";
import type { EvaluationContext } from "../engine/flag.ts";
import { deviceIdSchema } from "./device-id.ts";
import { userOf } from "./user.ts";

const given = v.exactOptional(v.pipe(v.string(), v.minLength(1, "must not be empty")));

/** Any other name is an attribute. */
export const explainQuerySchema = v.pipe(
  v.objectWithRest(
    { device_id: v.exactOptional(deviceIdSchema), user_id: given, flag_key: given, experiment_id: given },
    v.string(),
  ),
  v.check(
    ({ device_id, user_id }) => device_id !== undefined || user_id !== undefined,
    "must name the subject: device_id, user_id or both",
  ),
);
export type ExplainQuery = v.InferOutput<typeof explainQuerySchema>;

/** Ids of the cohorts that the query says the subject is in; undefined where it says nothing of them. */
export function givenCohorts({ cohort_ids }: ExplainQuery): string[] | undefined {
  return cohort_ids
    ?.split(",")
    .map((id) => id.trim())
    .filter(Boolean);
}

/** @param cohorts ids of those that the subject is in; null where nobody can tell */
export function contextOf(query: ExplainQuery, cohorts: readonly string[] | null): EvaluationContext {
  const { device_id = null, user_id = null, flag_key: _, experiment_id: __, cohort_ids: ___, ...attributes } = query;
  const user = userOf({ deviceId: device_id, userId: user_id }, attributes);
  return { user: { ...user, ...(cohorts === null ? {} : { cohort_ids: cohorts }) } };
}
