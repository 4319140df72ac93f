/** A variation of a feature flag: which parameters it overrides. Fields as in the Experiment Center API */
import * as v from "valibot";
import type { FeatureFlag } from "./feature-flag.ts";
import { descriptionSchema, keySchema, nameSchema, patchOf, recordOf, timestampSchema } from "./fields.ts";
import { featureFlagId, variationId } from "./ids.ts";
import { anyJsonSchema, jsonValueSchema } from "./json-value.ts";

/** The most a feature flag may have. */
export const maxVariations = 20;

export const overridesSchema = recordOf(v.strictObject({ value: jsonValueSchema }));

/** `off` is what the engine answers to whom no variation is assigned; a variation of that name could not be told apart. */
export const variationKeySchema = v.pipe(
  keySchema,
  v.check(
    (key) => key !== "off",
    "must not be `off`, which means no variation; give the variation another name or key",
  ),
);

export const variationSchema = v.strictObject({
  id: variationId,
  feature_flag_id: featureFlagId,
  name: nameSchema,
  description: v.exactOptional(descriptionSchema),
  /** By parameter; empty for the baseline. */
  overrides: overridesSchema,
  created_at: timestampSchema,
  updated_at: timestampSchema,
  key: variationKeySchema,
});
export type Variation = v.InferOutput<typeof variationSchema>;

/** Whether overrides fit the flag's parameters is not asked here: every misfit has a code of its own. */
const anyOverrides = recordOf(v.strictObject({ value: anyJsonSchema }));

export const variationCreateSchema = v.strictObject({
  name: nameSchema,
  description: v.exactOptional(descriptionSchema),
  overrides: anyOverrides,
  key: v.exactOptional(variationKeySchema),
});
export type VariationCreate = v.InferOutput<typeof variationCreateSchema>;

export const variationPatchSchema = patchOf(
  { name: nameSchema, description: v.nullable(descriptionSchema), overrides: anyOverrides },
  { key: "cannot be changed: rollouts, other flags and SDKs know the variation by it" },
);
export type VariationPatch = v.InferOutput<typeof variationPatchSchema>;

/** The parameters a page runs with under `variation`: the flag's values, overrides merged in. */
export function variationConfig(flag: FeatureFlag, variation: Variation): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(flag.parameters ?? {}).map(([name, parameter]) => [
      name,
      (Object.hasOwn(variation.overrides, name) ? variation.overrides[name] : parameter)?.value,
    ]),
  );
}
