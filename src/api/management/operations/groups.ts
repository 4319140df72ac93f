import * as v from "valibot";
import type { groupCommands } from "../../../control/commands/groups.ts";
import { groupCreateSchema, groupPatchSchema, groupType } from "../../../model/group.ts";
import { pageQuery } from "../../../model/page.ts";
import type { OperationsOf } from "../operation.ts";

export const groupOperations: OperationsOf<typeof groupCommands> = {
  get_groups: {
    method: "GET",
    path: "/groups",
    scope: "read:experimentation",
    query: v.strictObject({ ...pageQuery, type: v.exactOptional(groupType) }),
    success: 200,
  },
  create_group: {
    method: "POST",
    path: "/groups",
    scope: "create:experimentation",
    body: groupCreateSchema,
    success: 201,
  },
  get_group: { method: "GET", path: "/groups/:id", scope: "read:experimentation", success: 200 },
  update_group: {
    method: "PATCH",
    path: "/groups/:id",
    scope: "update:experimentation",
    body: groupPatchSchema,
    success: 200,
  },
  delete_group: { method: "DELETE", path: "/groups/:id", scope: "delete:experimentation", success: 204 },
};
