/** A segment: rules on what is known of a visitor. Fields as in the Experiment Center API */
import * as v from "valibot";
import { descriptionSchema, nameSchema, patchOf, timestampSchema } from "./fields.ts";
import { cohortId, segmentId } from "./ids.ts";

export const segmentAttributes = [
  "client_id",
  "connection",
  "connection_type",
  "organization_id",
  "domain",
  "device_type",
  "browser",
  "platform",
  "user_agent",
  "country",
  "region",
] as const;
export type SegmentAttribute = (typeof segmentAttributes)[number];

const values = v.pipe(
  v.array(v.pipe(v.string("must be text"), v.maxLength(1024, "must have at most 1024 characters"))),
  v.minLength(1, "must hold at least one value"),
);

export const segmentExpression = v.union(
  [
    values,
    v.strictObject({ contains: values }),
    v.strictObject({ starts_with: values }),
    v.strictObject({ ends_with: values }),
    v.strictObject({ exists: v.boolean() }),
  ],
  'must be one of ["v"], {"contains": ["v"]}, {"starts_with": ["v"]}, {"ends_with": ["v"]}, {"exists": true}, each list with at least one text',
);
export type SegmentExpression = v.InferOutput<typeof segmentExpression>;

const attributesOf = (cohort: v.GenericSchema<string>) =>
  v.pipe(
    v.strictObject({
      client_id: v.exactOptional(segmentExpression),
      connection: v.exactOptional(segmentExpression),
      connection_type: v.exactOptional(segmentExpression),
      organization_id: v.exactOptional(segmentExpression),
      domain: v.exactOptional(segmentExpression),
      device_type: v.exactOptional(segmentExpression),
      browser: v.exactOptional(segmentExpression),
      platform: v.exactOptional(segmentExpression),
      user_agent: v.exactOptional(segmentExpression),
      country: v.exactOptional(segmentExpression),
      region: v.exactOptional(segmentExpression),
      /** To be in one is to match. */
      cohort: v.exactOptional(
        v.pipe(
          v.array(cohort, "must be a list of cohorts: no other operator"),
          v.minLength(1, "must hold at least one value"),
        ),
      ),
    }),
    v.minEntries(1, "must name at least one attribute"),
    v.maxEntries(10, "must name at most 10 attributes"),
  );

const ruleOf = (cohort: v.GenericSchema<string>) => {
  const attributes = attributesOf(cohort);
  return v.pipe(
    v.strictObject({
      /** All must match; of an attribute's values, any. */
      match: v.exactOptional(attributes),
      /** None may match. */
      not_match: v.exactOptional(attributes),
    }),
    v.minEntries(1, "must hold match, not_match or both"),
  );
};
export type SegmentRule = v.InferOutput<ReturnType<typeof ruleOf>>;

/** @param cohort what cohorts are named by */
export const rulesOf = (cohort: v.GenericSchema<string>) =>
  v.pipe(v.array(ruleOf(cohort)), v.minLength(1, "must hold at least one rule"));
export const rulesSchema = rulesOf(cohortId);

export const segmentSchema = v.strictObject({
  id: segmentId,
  name: nameSchema,
  description: v.exactOptional(descriptionSchema),
  type: v.picklist(["self", "auth0"], "must be self or auth0"),
  /** The segment matches if any rule does. */
  rules: rulesSchema,
  created_at: timestampSchema,
  updated_at: timestampSchema,
});
export type Segment = v.InferOutput<typeof segmentSchema>;

export const segmentCreateSchema = v.strictObject({
  name: nameSchema,
  description: v.exactOptional(descriptionSchema),
  rules: rulesSchema,
});
export type SegmentCreate = v.InferOutput<typeof segmentCreateSchema>;

export const segmentPatchSchema = patchOf({
  name: nameSchema,
  description: v.nullable(descriptionSchema),
  rules: rulesSchema,
});
export type SegmentPatch = v.InferOutput<typeof segmentPatchSchema>;
