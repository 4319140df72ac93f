/** A feature flag: parameters that variations override. Fields as in the Experiment Center API, and ours. */
import * as v from "valibot";
import { descriptionSchema, jsonValueSchema, keySchema, nameSchema, recordOf, timestampSchema } from "./fields.ts";
import { featureFlagId } from "./ids.ts";
import { rolloutSchema } from "./rollout.ts";

export const featureFlagStatus = v.picklist(["draft", "active", "archived"], "must be draft, active or archived");
export const featureFlagType = v.picklist(["auth0", "self"], "must be auth0 or self");

const parameterTypes = ["string", "boolean", "number", "array", "object"] as const;
export type ParameterType = (typeof parameterTypes)[number];

const parameter = v.pipe(
  v.strictObject({
    type: v.picklist(parameterTypes, `must be one of ${parameterTypes.join(", ")}`),
    value: jsonValueSchema,
    description: v.exactOptional(v.pipe(v.string(), v.maxLength(255, "must have at most 255 characters"))),
  }),
  v.forward(
    v.check(
      ({ type, value }) => isParameterValue(type, value),
      (issue) => `must be of the declared type, ${issue.input.type}`,
    ),
    ["value"],
  ),
);

export const parametersSchema = v.pipe(
  recordOf(parameter),
  v.minEntries(1, "must hold at least 1 parameter"),
  v.maxEntries(10, "must hold at most 10 parameters"),
);
export type Parameters = v.InferOutput<typeof parametersSchema>;

/** `holdout-…` and `mutex-…` are the flags that groups compile to. */
export const flagKeySchema = v.pipe(
  keySchema,
  v.check((key) => !/^(holdout|mutex)-/.test(key), "must not begin with holdout- or mutex-, which groups use"),
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
  /** Keys of the deployments that may see the flag. */
  deployments: v.array(v.string()),
  rollout: v.exactOptional(rolloutSchema),
});
export type FeatureFlag = v.InferOutput<typeof featureFlagSchema>;

/** Whether a parameter declared as `type` may hold `value`. */
export function isParameterValue(type: ParameterType, value: unknown): boolean {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}
