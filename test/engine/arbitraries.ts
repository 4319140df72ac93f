/** Random flags and contexts for the differential test: small pools of values, so that conditions often hold. */
import * as fc from "fast-check";
import type { Allocation, Condition, EvaluationContext, Flag, Segment } from "../../src/engine/flag.ts";

// No lone surrogates, names of Object.prototype, or versions that take experiment-core exponential time: those are
// listed exceptions, each with a test of its own.
const texts = [
  ["", "a", "A", "b", "ab", "ABC", "abc", "é", "É", "ß", "İstanbul", "吉星高照", "🦎", "My 🚀", "(none)", "null", " "],
  ["true", "TRUE", "True", "false", "FALSE", "0", "1", "01", "1.0", "-1", "5", " 5 ", "10", "9", "0x9", "1e1", "NaN"],
  [
    "Infinity",
    "1.2",
    "1.2.3",
    "1.2.3-",
    "1.2.3-rc.9",
    "1.2.3-rc.10",
    "1.10.0",
    "10.0.0",
    "10.0.0+b1",
    "10.0.0.1",
    "1.",
    "1.2.3-a..b",
    "1.2.3-.a",
    "1.2.3-a.",
  ],
  [
    "[]",
    "[",
    '["a","b"]',
    "[1,2]",
    '["true"]',
    '[null,""]',
    '[["a"],{"b":1}]',
    ' ["a"]',
    '{"a":1}',
    "user-1",
    "user-2",
  ],
].flat();
const text = fc.constantFrom(...texts);

/** Objects that inherit from Object.prototype, as JSON makes them; experiment-core throws on others. */
const object = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }, requiredKeys?: (keyof T)[]) =>
  fc.record(model, { noNullPrototype: true, ...(requiredKeys && { requiredKeys }) });
const subject = fc.oneof(
  text,
  fc.string({ unit: "grapheme-ascii", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 12 }).map((value) => value.toWellFormed()),
);

const scalar = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 2, arbitrary: fc.constantFrom(0, -0, 1, 1.5, 5, 10, -1, 1e21, Number.NaN, true, false) },
  { weight: 1, arbitrary: fc.constantFrom(null, undefined) },
);
const list = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: scalar },
    { weight: 1, arbitrary: fc.array(scalar, { maxLength: 2 }) },
    { weight: 1, arbitrary: object({ a: scalar }) },
  ),
  { maxLength: 5 },
);
const property = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 2, arbitrary: list },
  { weight: 1, arbitrary: object({ a: scalar, b: list }) },
);

const userFields = ["user_id", "device_id", "country", "platform", "version", ""] as const;
const userProperties = ["plan", "age", "tags", "beta"] as const;
const record = (names: readonly string[], value: fc.Arbitrary<unknown>) =>
  object(Object.fromEntries(names.map((name) => [name, value])), []);

export const context: fc.Arbitrary<EvaluationContext> = fc.oneof(
  {
    weight: 19,
    arbitrary: object(
      {
        user: fc
          .tuple(
            record(userFields, property),
            object(
              {
                user_id: subject,
                device_id: subject,
                cohort_ids: fc.array(text, { maxLength: 4 }),
                user_properties: fc.oneof(
                  { weight: 9, arbitrary: record(userProperties, property) },
                  { weight: 1, arbitrary: property },
                ),
              },
              [],
            ),
          )
          .map(([fields, rest]) => ({ ...fields, ...rest })),
        groups: object({ org: record(["group_name", "cohort_ids"], property) }, []),
      },
      [],
    ),
  },
  { weight: 1, arbitrary: property as fc.Arbitrary<EvaluationContext> },
);

const flagKeys = Array.from({ length: 20 }, (_, number) => `flag-${number}`);
const variantKeys = ["on", "off", "control", "treatment", "🦎"] as const;
const variantKey = fc.constantFrom(...variantKeys, "unknown");

const selector = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...userFields).map((name) => ["context", "user", name]) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(...userProperties).map((name) => ["context", "user", "user_properties", name]),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...flagKeys), fc.constantFrom(["key"], ["value"], ["metadata", "experimentKey"], []))
      .map(([key, rest]) => ["result", key, ...rest]),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ["context", "user", "cohort_ids"],
      ["context", "groups", "org", "group_name"],
      ["context", "groups", "org", "cohort_ids"],
      ["context", "user", "tags", "0"],
      ["context", "user", "user_properties", "tags", "length"],
      ["context", "user", "user_properties"],
      ["context", "user", ""],
      ["context"],
      ["result"],
      ["elsewhere"],
      [],
    ),
  },
);

const regularExpressions = fc.constantFrom(
  "a",
  "^a",
  "b$",
  "^$",
  "[ab]+",
  "(a|b)*c",
  "^\\d+(\\.\\d+){1,2}$",
  "\\bA",
  "é|🦎",
  "[^a-z]",
  "user-\\d",
  ".",
  "(?:true|1)",
);

export const operators = [
  ["is", "is not", "contains", "does not contain", "less", "less or equal", "greater", "greater or equal"],
  ["version less", "version less or equal", "version greater", "version greater or equal"],
  ["set is", "set is not", "set contains", "set does not contain", "set contains any", "set does not contain any"],
  ["regex match", "regex does not match", "glob match", "", "set"],
].flat();

const condition: fc.Arbitrary<Condition> = fc.constantFrom(...operators).chain((op) =>
  object({
    selector,
    op: fc.constant(op),
    values: fc.array(op.startsWith("regex") ? regularExpressions : fc.oneof(text, variantKey), { maxLength: 4 }),
  }),
);

const bound = (max: number) =>
  fc.oneof(fc.integer({ min: 0, max }), fc.constantFrom(-1, 0, 0.5, max, max + 1, Infinity));
const range = (max: number) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant([0, max] as const) },
    {
      weight: 3,
      arbitrary: fc.tuple(bound(max), bound(max)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
    },
    { weight: 1, arbitrary: fc.tuple(bound(max), bound(max)) },
  );
const allocation: fc.Arbitrary<Allocation> = object({
  range: range(100),
  distributions: fc.array(object({ variant: variantKey, range: range(42_949_673) }), { maxLength: 4 }),
});

const segment = object(
  {
    bucket: object({ selector, salt: subject, allocations: fc.array(allocation, { maxLength: 3 }) }),
    conditions: fc.array(fc.array(condition, { maxLength: 3 }), { maxLength: 3 }),
    variant: variantKey,
    metadata: object({ segmentName: text, shared: text }, []),
  },
  [],
) as fc.Arbitrary<Segment>;

const flag = object(
  {
    variants: object(
      Object.fromEntries(
        variantKeys.map((key) => [
          key,
          object({ key: fc.constant(key), value: text, payload: property, metadata: object({ shared: text }) }, [
            "key",
          ]),
        ]),
      ),
      [],
    ),
    segments: fc.array(segment, { maxLength: 4 }),
    // Later flags only, so that there is no cycle; some are unknown.
    dependencies: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
    metadata: object({ experimentKey: text, shared: text }, []),
  },
  ["variants", "segments"],
);

/** Flags that may depend on each other, without cycles, in random order. */
const flagsUpTo = (maxLength: number): fc.Arbitrary<Flag[]> =>
  fc.array(flag, { minLength: 1, maxLength, size: "max" }).chain((drafts) => {
    const whole = drafts.map(({ dependencies, ...draft }, number) => ({
      key: flagKeys[number] ?? "",
      ...draft,
      ...(dependencies && { dependencies: dependencies.map((ahead) => `flag-${number + ahead}`) }),
    })) as Flag[];
    return fc.shuffledSubarray(whole, { minLength: whole.length });
  });

/** The same flags, asking for nothing but the user. */
function askUserOnly(set: readonly Flag[]): Flag[] {
  const turn = (path: readonly string[]): readonly string[] =>
    path[0] === "context" && path[1] === "user" && path.length < 5 ? path : ["context", "user", "country"];
  return set.map((each) => ({
    ...each,
    segments: each.segments.map((part) => ({
      ...part,
      ...(part.bucket && { bucket: { ...part.bucket, selector: turn(part.bucket.selector) } }),
      ...(part.conditions && {
        conditions: part.conditions.map((group) => group.map((one) => ({ ...one, selector: turn(one.selector) }))),
      }),
    })),
  }));
}

/** 1 to 20 flags; often one or few, and those asking for the user only, which go a way of their own. */
export const flags: fc.Arbitrary<Flag[]> = fc.oneof(
  { weight: 3, arbitrary: flagsUpTo(20) },
  { weight: 1, arbitrary: flagsUpTo(4) },
  { weight: 2, arbitrary: flagsUpTo(4).map(askUserOnly) },
  { weight: 2, arbitrary: flagsUpTo(1).map(askUserOnly) },
);

/** Keys of flags, known or not; undefined for all. */
export const someFlagKeys = fc.option(fc.array(fc.constantFrom(...flagKeys), { maxLength: 4 }), {
  nil: undefined,
  freq: 4,
});
