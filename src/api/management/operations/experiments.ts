import * as v from "valibot";
import type { experimentCommands } from "../../../control/commands/experiments.ts";
import {
  experimentCreateSchema,
  experimentPatchSchema,
  experimentTransitionSchema,
  rampSchema,
} from "../../../model/experiment.ts";
import { pageQuery } from "../../../model/page.ts";
import { experimentStatus } from "../../../model/snapshot.ts";
import type { OperationsOf } from "../operation.ts";

export const experimentOperations: OperationsOf<typeof experimentCommands> = {
  get_experiments: {
    method: "GET",
    path: "/experiments",
    scope: "read:experimentation",
    query: v.strictObject({
      ...pageQuery,
      status: v.exactOptional(experimentStatus),
      authentication_flow: v.exactOptional(v.string()),
      feature_flag_id: v.exactOptional(v.string()),
    }),
    success: 200,
  },
  create_experiment: {
    method: "POST",
    path: "/experiments",
    scope: "create:experimentation",
    body: experimentCreateSchema,
    success: 201,
  },
  get_experiment: { method: "GET", path: "/experiments/:id", scope: "read:experimentation", success: 200 },
  update_experiment: {
    method: "PATCH",
    path: "/experiments/:id",
    scope: "update:experimentation",
    body: experimentPatchSchema,
    success: 200,
  },
  delete_experiment: { method: "DELETE", path: "/experiments/:id", scope: "delete:experimentation", success: 204 },
  update_experiment_status: {
    method: "POST",
    path: "/experiments/:id/status",
    scope: "update:experimentation",
    body: experimentTransitionSchema,
    success: 200,
  },
  validate_experiment: {
    method: "POST",
    path: "/experiments/:id/validate",
    scope: "read:experimentation",
    success: 200,
  },
  advance_experiment_ramp: {
    method: "POST",
    path: "/experiments/:id/advance-ramp",
    scope: "update:experimentation",
    body: rampSchema,
    success: 200,
  },
};
