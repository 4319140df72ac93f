import * as v from "valibot";
import type { deploymentCommands } from "../../../control/commands/deployments.ts";
import { deploymentCreateSchema, deploymentPatchSchema, deploymentType } from "../../../model/deployment.ts";
import { pageQuery } from "../../../model/page.ts";
import type { OperationsOf } from "../operation.ts";

export const deploymentOperations: OperationsOf<typeof deploymentCommands> = {
  get_deployments: {
    method: "GET",
    path: "/deployments",
    scope: "read:experimentation",
    query: v.strictObject({ ...pageQuery, type: v.exactOptional(deploymentType) }),
    success: 200,
  },
  create_deployment: {
    method: "POST",
    path: "/deployments",
    scope: "create:experimentation",
    body: deploymentCreateSchema,
    success: 201,
  },
  get_deployment: { method: "GET", path: "/deployments/:id", scope: "read:experimentation", success: 200 },
  update_deployment: {
    method: "PATCH",
    path: "/deployments/:id",
    scope: "update:experimentation",
    body: deploymentPatchSchema,
    success: 200,
  },
  rotate_deployment: {
    method: "POST",
    path: "/deployments/:id/rotate",
    scope: "update:experimentation",
    success: 200,
  },
  delete_deployment: { method: "DELETE", path: "/deployments/:id", scope: "delete:experimentation", success: 204 },
};
