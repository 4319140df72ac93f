/** How a flag is rolled out: what comes before targeting (for experiments too), and who gets what without one. */
import * as v from "valibot";
import { deviceIdSchema } from "./device-id.ts";
import { keySchema, nameSchema, percentSchema, recordOf } from "./fields.ts";
import { segmentId } from "./ids.ts";
import { maxVariations } from "./variation.ts";

const byVariation = <Value extends v.GenericSchema>(value: Value) =>
  v.pipe(recordOf(value, keySchema), v.maxEntries(maxVariations, `must name at most ${maxVariations} variations`));

const listOf = <Item extends v.GenericSchema>(item: Item, most: number) =>
  v.pipe(v.array(item, "must be a list"), v.maxLength(most, `must hold at most ${most} items`));

/** Shares by variation key; relative to their sum, laid out in the order of the flag's variations. */
const weights = byVariation(
  v.pipe(
    v.number("must be a number"),
    v.minValue(0, "must not be negative"),
    v.maxValue(1_000_000, "must be at most 1000000"),
  ),
);

/** `(none)` is how the engine writes "missing": as an id it would include everyone without one. */
const notMissing = v.check<string, string>((id) => id !== "(none)", "must be an id; `(none)` means a missing one");
const subjectId = v.pipe(v.string("must be text"), v.minLength(1, "must not be empty"), notMissing);

/** The engine's operators, and `glob match`, which is compiled to them; a condition with any other would never match. */
export const conditionOperators = [
  "is",
  "is not",
  "contains",
  "does not contain",
  "less",
  "less or equal",
  "greater",
  "greater or equal",
  "version less",
  "version less or equal",
  "version greater",
  "version greater or equal",
  "set is",
  "set is not",
  "set contains",
  "set does not contain",
  "set contains any",
  "set does not contain any",
  "regex match",
  "regex does not match",
  "glob match",
] as const;

const condition = v.strictObject({
  selector: v.pipe(
    v.array(v.string("must be text")),
    v.check(
      ([root, of, ...field]) => root === "context" && (of === "user" || of === "groups") && field.length > 0,
      'must be a path such as ["context","user","country"]',
    ),
  ),
  op: v.picklist(conditionOperators, `must be one of ${conditionOperators.join(", ")}`),
  values: v.array(v.string("must be text: the engine compares everything as text")),
});

export const targetSchema = v.strictObject({
  name: nameSchema,
  /** Outer list: any of; inner list: all of; none: everyone. Instead of a segment. */
  conditions: v.exactOptional(listOf(listOf(condition, 50), 50)),
  segment_id: v.exactOptional(segmentId),
  percentage: percentSchema,
  weights,
});

export const rolloutSchema = v.strictObject({
  bucketing_key: v.exactOptional(v.picklist(["device_id", "user_id"], "must be device_id or user_id")),
  /** The flag's id when absent. A new salt shuffles everyone anew. */
  bucketing_salt: v.exactOptional(v.pipe(v.string("must be text"), v.minLength(1, "must not be empty"))),
  /** By flag key, which of its variations let a subject through. */
  dependencies: v.exactOptional(
    v.pipe(
      recordOf(
        v.pipe(listOf(keySchema, maxVariations), v.minLength(1, "must name at least one variation key")),
        keySchema,
      ),
      v.maxEntries(50, "must name at most 50 feature flags"),
    ),
  ),
  /** By variation key, who gets it whatever the rest says. */
  inclusions: v.exactOptional(
    byVariation(v.strictObject({ user_ids: v.array(subjectId), device_ids: v.array(subjectId) })),
  ),
  sticky_bucketing: v.exactOptional(v.boolean("must be true or false")),
  targeting: v.exactOptional(listOf(targetSchema, 100)),
  all_users: v.exactOptional(v.strictObject({ percentage: percentSchema, weights })),
});
export type Rollout = v.InferOutput<typeof rolloutSchema>;
export type RolloutTarget = v.InferOutput<typeof targetSchema>;

/** A rollout as clients send it: a device id may be pasted as a cookie. Stored rollouts are read unchanged. */
export const rolloutInputSchema = v.strictObject({
  ...rolloutSchema.entries,
  inclusions: v.exactOptional(
    byVariation(
      v.strictObject({
        user_ids: v.array(subjectId),
        device_ids: v.array(v.pipe(deviceIdSchema, notMissing)),
      }),
    ),
  ),
});
