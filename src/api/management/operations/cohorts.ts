import * as v from "valibot";
import type { cohortCommands } from "../../../control/commands/cohorts.ts";
import { cohortCreateSchema, cohortIdType, cohortPatchSchema } from "../../../model/cohort.ts";
import { pageQuery } from "../../../model/page.ts";
import { listMembers, uploadMembers } from "../cohort-members.ts";
import { findMember, refreshNow, withStatus } from "../cohort-status.ts";
import type { OperationsOf } from "../operation.ts";

const most = 1_000;
const take = v.pipe(
  v.string(),
  v.regex(/^\d{1,9}$/, `must be a whole number from 1 to ${most}`),
  v.transform(Number),
  v.minValue(1, "must be at least 1"),
  v.maxValue(most, `must be at most ${most}`),
);

const upload = v.strictObject({
  field: v.exactOptional(
    v.pipe(v.string(), v.minLength(1, "must not be empty"), v.maxLength(255, "must have at most 255 characters")),
  ),
});

export const cohortOperations: OperationsOf<typeof cohortCommands> = {
  get_cohorts: {
    method: "GET",
    path: "/cohorts",
    scope: "read:experimentation",
    query: v.strictObject({ ...pageQuery, id_type: v.exactOptional(cohortIdType) }),
    step: withStatus,
    success: 200,
  },
  create_cohort: {
    method: "POST",
    path: "/cohorts",
    scope: "create:experimentation",
    body: cohortCreateSchema,
    step: withStatus,
    success: 201,
  },
  get_cohort: {
    method: "GET",
    path: "/cohorts/:id",
    scope: "read:experimentation",
    step: withStatus,
    success: 200,
  },
  update_cohort: {
    method: "PATCH",
    path: "/cohorts/:id",
    scope: "update:experimentation",
    body: cohortPatchSchema,
    step: withStatus,
    success: 200,
  },
  delete_cohort: { method: "DELETE", path: "/cohorts/:id", scope: "delete:experimentation", success: 204 },
  refresh_cohort: {
    method: "POST",
    path: "/cohorts/:id/refresh",
    scope: "update:experimentation",
    step: refreshNow,
    success: 200,
  },
  get_cohort_member: {
    method: "GET",
    path: "/cohorts/:id/members/:member_id",
    scope: "read:experimentation",
    step: findMember,
    success: 200,
  },
  get_cohort_members: {
    method: "GET",
    path: "/cohorts/:id/members",
    scope: "read:experimentation",
    query: v.strictObject({ take: v.exactOptional(take) }),
    step: listMembers,
    success: 200,
  },
  add_cohort_members: {
    method: "POST",
    path: "/cohorts/:id/members",
    scope: "update:experimentation",
    query: upload,
    step: uploadMembers("add"),
    success: 200,
  },
  remove_cohort_members: {
    method: "DELETE",
    path: "/cohorts/:id/members",
    scope: "update:experimentation",
    query: upload,
    step: uploadMembers("remove"),
    success: 200,
  },
  replace_cohort_members: {
    method: "PUT",
    path: "/cohorts/:id/members",
    scope: "update:experimentation",
    query: upload,
    step: uploadMembers("replace"),
    success: 200,
  },
};
