import type { variationCommands } from "../../../control/commands/variations.ts";
import { variationCreateSchema, variationPatchSchema } from "../../../model/variation.ts";
import type { OperationsOf } from "../operation.ts";

export const variationOperations: OperationsOf<typeof variationCommands> = {
  get_variations: {
    method: "GET",
    path: "/feature-flags/:id/variations",
    scope: "read:experimentation",
    success: 200,
  },
  create_variation: {
    method: "POST",
    path: "/feature-flags/:id/variations",
    scope: "create:experimentation",
    body: variationCreateSchema,
    success: 201,
  },
  get_variation: {
    method: "GET",
    path: "/feature-flags/:id/variations/:vid",
    scope: "read:experimentation",
    success: 200,
  },
  update_variation: {
    method: "PATCH",
    path: "/feature-flags/:id/variations/:vid",
    scope: "update:experimentation",
    body: variationPatchSchema,
    success: 200,
  },
  delete_variation: {
    method: "DELETE",
    path: "/feature-flags/:id/variations/:vid",
    scope: "delete:experimentation",
    success: 204,
  },
};
