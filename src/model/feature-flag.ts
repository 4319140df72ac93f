/** A feature flag: parameters that variations override. Fields as in the Experiment Center API, and ours. */
import * as v from "valibot";
import { gateDeployment } from "./deployment.ts";
import {
  descriptionSchema,
  keySchema,
  nameSchema,
  objectSchema,
  patchOf,
  recordOf,
  refusing,
  timestampSchema,
} from "./fields.ts";
import { deploymentId, featureFlagId } from "./ids.ts";
import { anyJsonSchema, jsonValueSchema } from "./json-value.ts";
import { rolloutInputSchema, rolloutSchema } from "./rollout.ts";

export const featureFlagStatus = v.picklist(["draft", "active", "archived"], "must be draft, active or archived");
export const featureFlagType = v.picklist(["auth0", "self"], "must be auth0 or self");

const parameterTypes = ["string", "boolean", "number", "array", "object"] as const;
export type ParameterType = (typeof parameterTypes)[number];

const parameterFields = {
  type: v.picklist(parameterTypes, `must be one of ${parameterTypes.join(", ")}`),
  description: v.exactOptional(
    v.pipe(v.string("must be text"), v.maxCodePoints(255, "must have at most 255 characters")),
  ),
};

const parameter = v.pipe(
  v.strictObject({ ...parameterFields, value: jsonValueSchema }),
  v.forward(
    v.check(
      ({ type, value }) => isParameterValue(type, value),
      (issue) => `must be of the declared type, ${issue.input.type}`,
    ),
    ["value"],
  ),
);

const parametersOf = <Parameter extends v.GenericSchema>(schema: Parameter) =>
  v.pipe(
    recordOf(schema),
    v.minEntries(1, "must hold at least 1 parameter"),
    v.maxEntries(10, "must hold at most 10 parameters"),
  );

export const parametersSchema = parametersOf(parameter);
export type Parameters = v.InferOutput<typeof parametersSchema>;

/** `holdout-…` and `mutex-…` are the flags that groups compile to. */
export const flagKeySchema = v.pipe(
  keySchema,
  v.check((key) => !/^(holdout|mutex)-/.test(key), "must not begin with holdout- or mutex-, which groups use"),
);

const deploymentReference = v.union(
  [v.literal(gateDeployment), deploymentId],
  ({ input }) => `must be "${gateDeployment}" or the id of a deployment, not ${JSON.stringify(input)}`,
);

/** Where the flag is enabled: `gate`, and ids of deployments whose keys may fetch it. */
const deploymentsSchema = v.pipe(
  v.array(deploymentReference, `must be a list of "${gateDeployment}" and deployments' ids`),
  v.check((ids) => new Set(ids).size === ids.length, "must name each deployment once"),
);

export const featureFlagSchema = v.strictObject({
  id: featureFlagId,
  name: nameSchema,
  description: v.exactOptional(descriptionSchema),
  type: featureFlagType,
  status: featureFlagStatus,
  parameters: v.exactOptional(parametersSchema),
  created_at: timestampSchema,
  updated_at: timestampSchema,
  key: flagKeySchema,
  deployments: deploymentsSchema,
  rollout: v.exactOptional(rolloutSchema),
});
export type FeatureFlag = v.InferOutput<typeof featureFlagSchema>;

/** Whether values fit their types and size is not asked here: either misfit has a code of its own. */
const anyParameters = parametersOf(v.strictObject({ ...parameterFields, value: anyJsonSchema }));
const rolloutBody = v.pipe(objectSchema, rolloutInputSchema);

const readOnly = {
  type: "cannot be sent: flags made here are of type self",
  status: "cannot be sent: a flag begins as a draft, and POST /feature-flags/{id}/status takes it further",
};

export const featureFlagCreateSchema = v.strictObject(
  {
    name: nameSchema,
    description: v.exactOptional(descriptionSchema),
    parameters: anyParameters,
    key: v.exactOptional(flagKeySchema),
    deployments: v.exactOptional(deploymentsSchema),
    rollout: v.exactOptional(rolloutBody),
  },
  refusing(readOnly),
);
export type FeatureFlagCreate = v.InferOutput<typeof featureFlagCreateSchema>;

export const featureFlagPatchSchema = patchOf(
  {
    name: nameSchema,
    description: v.nullable(descriptionSchema),
    parameters: anyParameters,
    deployments: deploymentsSchema,
    rollout: v.nullable(rolloutBody),
  },
  { ...readOnly, key: "cannot be changed: SDKs and other flags know the flag by it" },
);
export type FeatureFlagPatch = v.InferOutput<typeof featureFlagPatchSchema>;

export const featureFlagStatusSchema = v.strictObject({ status: featureFlagStatus });
export type FeatureFlagStatus = v.InferOutput<typeof featureFlagStatus>;

/** What a flag's status may become. */
export const nextFlagStatuses: Readonly<Record<FeatureFlagStatus, readonly FeatureFlagStatus[]>> = {
  draft: ["active", "archived"],
  active: ["archived"],
  archived: [],
};

/** Whether a parameter declared as `type` may hold `value`. */
export function isParameterValue(type: ParameterType, value: unknown): boolean {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}

/** The flag's own parameter of that name; `toString` and the like are names like the rest. */
export function parameterOf({ parameters = {} }: FeatureFlag, name: string): Parameters[string] | undefined {
  return Object.hasOwn(parameters, name) ? parameters[name] : undefined;
}
