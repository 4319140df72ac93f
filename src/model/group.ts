/** A group of feature flags whose subjects exclude one another (slots), or share a part that gets none of them (holdout). */
import * as v from "valibot";
import { descriptionSchema, keySchema, nameSchema, percentSchema, timestampSchema } from "./fields.ts";
import { featureFlagId, groupId } from "./ids.ts";

const common = {
  id: groupId,
  key: keySchema,
  name: nameSchema,
  description: v.exactOptional(descriptionSchema),
  /** Which id is hashed. */
  bucketing_key: v.exactOptional(v.picklist(["device_id", "user_id"], "must be device_id or user_id")),
  /** The group's id when absent. */
  bucketing_salt: v.exactOptional(v.pipe(v.string("must be text"), v.minLength(1, "must not be empty"))),
  created_at: timestampSchema,
  updated_at: timestampSchema,
};

const slot = v.strictObject({ percentage: percentSchema, feature_flag_ids: v.array(featureFlagId) });

export const groupSchema = v.variant("type", [
  v.strictObject({
    ...common,
    type: v.literal("mutual_exclusion"),
    /** In order, `slot-1` first; their percentages total at most 100, the rest is in none. */
    slots: v.pipe(v.array(slot), v.minLength(1, "must hold at least one slot"), v.maxLength(20)),
  }),
  v.strictObject({
    ...common,
    type: v.literal("holdout"),
    /** Share of subjects that get none of the flags. */
    percentage: percentSchema,
    feature_flag_ids: v.array(featureFlagId),
  }),
]);
export type Group = v.InferOutput<typeof groupSchema>;
