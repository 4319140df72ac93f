import * as v from "valibot";
import type { featureFlagCommands } from "../../../control/commands/feature-flags.ts";
import {
  featureFlagCreateSchema,
  featureFlagPatchSchema,
  featureFlagStatus,
  featureFlagStatusSchema,
  featureFlagType,
} from "../../../model/feature-flag.ts";
import { pageQuery } from "../../../model/page.ts";
import type { OperationsOf } from "../operation.ts";

export const featureFlagOperations: OperationsOf<typeof featureFlagCommands> = {
  get_feature_flags: {
    method: "GET",
    path: "/feature-flags",
    scope: "read:experimentation",
    query: v.strictObject({
      ...pageQuery,
      type: v.exactOptional(featureFlagType),
      status: v.exactOptional(featureFlagStatus),
    }),
    success: 200,
  },
  create_feature_flag: {
    method: "POST",
    path: "/feature-flags",
    scope: "create:experimentation",
    body: featureFlagCreateSchema,
    success: 201,
  },
  get_feature_flag: { method: "GET", path: "/feature-flags/:id", scope: "read:experimentation", success: 200 },
  update_feature_flag: {
    method: "PATCH",
    path: "/feature-flags/:id",
    scope: "update:experimentation",
    body: featureFlagPatchSchema,
    success: 200,
  },
  delete_feature_flag: { method: "DELETE", path: "/feature-flags/:id", scope: "delete:experimentation", success: 204 },
  update_feature_flag_status: {
    method: "POST",
    path: "/feature-flags/:id/status",
    scope: "update:experimentation",
    body: featureFlagStatusSchema,
    success: 200,
  },
};
