/** The change log: who changed what, when, from what to what. */
import * as v from "valibot";
import { timestampSchema } from "./fields.ts";
import { pageQuery } from "./page.ts";

/** What changes are kept of. */
export const resourceTypes = [
  "feature_flag",
  "variation",
  "experiment",
  "segment",
  "group",
  "deployment",
  "cohort",
  "log_stream",
  "token",
] as const;

const resourceType = v.picklist(resourceTypes, `must be one of ${resourceTypes.join(", ")}`);
const text = v.pipe(v.string("must be text"), v.minLength(1, "must not be empty"));

export const changeQuerySchema = v.strictObject({
  ...pageQuery,
  resource_type: v.exactOptional(resourceType),
  resource_id: v.exactOptional(text),
  /** `root`, `token:<id>` or `jwt:<sub>`. */
  actor: v.exactOptional(text),
  /** An operation's id, such as `update_experiment`. */
  operation: v.exactOptional(text),
  /** Both inclusive. */
  since: v.exactOptional(timestampSchema),
  until: v.exactOptional(timestampSchema),
});
export type ChangeQuery = v.InferOutput<typeof changeQuerySchema>;

export const changeSchema = v.strictObject({
  id: v.string(),
  /** Of the configuration, once changed; tokens and log streams are no part of it and change none. */
  version: v.number(),
  at: timestampSchema,
  actor: v.string(),
  operation: v.string(),
  correlation_id: v.string(),
  resource_type: resourceType,
  resource_id: v.string(),
  /** The resource as it was; null when it is new. */
  before: v.nullable(v.looseObject({})),
  /** The resource as it is since; null when it is gone. */
  after: v.nullable(v.looseObject({})),
});
export type ChangeView = v.InferOutput<typeof changeSchema>;
