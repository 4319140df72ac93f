/** A group of feature flags whose subjects exclude one another (slots), or share a part that gets none of them (holdout). */
import * as v from "valibot";
import { descriptionSchema, keySchema, nameSchema, patchOf, percentSchema, timestampSchema } from "./fields.ts";
import { featureFlagId, groupId } from "./ids.ts";

const flagIds = v.array(featureFlagId, "must be a list of ids of feature flags");
const slots = v.pipe(
  v.array(v.strictObject({ percentage: percentSchema, feature_flag_ids: flagIds }), "must be a list of slots"),
  v.minLength(1, "must hold at least one slot"),
  v.maxLength(20, "must hold at most 20 slots"),
);
const bucketingKey = v.picklist(["device_id", "user_id"], "must be device_id or user_id");
const bucketingSalt = v.pipe(v.string("must be text"), v.minLength(1, "must not be empty"));

const own = {
  name: nameSchema,
  description: v.exactOptional(descriptionSchema),
  /** Which id is hashed; `device_id` when absent. */
  bucketing_key: v.exactOptional(bucketingKey),
  /** The group's id when absent. */
  bucketing_salt: v.exactOptional(bucketingSalt),
};
const mutualExclusion = {
  ...own,
  type: v.literal("mutual_exclusion"),
  /** In order, `slot-1` first; their percentages total at most 100, the rest of the subjects is in none. */
  slots,
};
const holdout = {
  ...own,
  type: v.literal("holdout"),
  /** Share of subjects that get none of the flags. */
  percentage: percentSchema,
  feature_flag_ids: flagIds,
};
const stored = { id: groupId, key: keySchema, created_at: timestampSchema, updated_at: timestampSchema };
const eitherType = "must be mutual_exclusion or holdout";

export const groupType = v.picklist(["mutual_exclusion", "holdout"], eitherType);

export const groupSchema = v.variant(
  "type",
  [v.strictObject({ ...stored, ...mutualExclusion }), v.strictObject({ ...stored, ...holdout })],
  eitherType,
);
export type Group = v.InferOutput<typeof groupSchema>;

/** Without a key, the name gives it. */
const chosenKey = v.exactOptional(keySchema);
export const groupCreateSchema = v.variant(
  "type",
  [v.strictObject({ ...mutualExclusion, key: chosenKey }), v.strictObject({ ...holdout, key: chosenKey })],
  eitherType,
);
export type GroupCreate = v.InferOutput<typeof groupCreateSchema>;

/** Of both types; which fields a group takes, its type says. */
export const groupPatchSchema = patchOf(
  {
    name: nameSchema,
    description: v.nullable(descriptionSchema),
    bucketing_key: v.nullable(bucketingKey),
    bucketing_salt: v.nullable(bucketingSalt),
    slots,
    percentage: percentSchema,
    feature_flag_ids: flagIds,
  },
  {
    type: "cannot be changed: form a new group",
    key: "cannot be changed: the group's flag is known by it",
  },
);
export type GroupPatch = v.InferOutput<typeof groupPatchSchema>;

export interface Member {
  flagId: string;
  /** The variant of the group's flag that lets a subject through to this one. */
  variant: string;
}

export function membersOf(group: Group): Member[] {
  if (group.type === "holdout") return group.feature_flag_ids.map((flagId) => ({ flagId, variant: "on" }));
  return group.slots.flatMap(({ feature_flag_ids }, index) =>
    feature_flag_ids.map((flagId) => ({ flagId, variant: slotKey(index) })),
  );
}

export function slotKey(index: number): string {
  return `slot-${index + 1}`;
}

/** Key of the flag that a group compiles to; no feature flag may take it (`flagKeySchema`). */
export function groupFlagKey({ type, key }: Group): string {
  return `${type === "holdout" ? "holdout" : "mutex"}-${key}`;
}
