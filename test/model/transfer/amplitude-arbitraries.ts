/** Random flags as Amplitude compiles them, some with what an import cannot express. */
import * as fc from "fast-check";
import type { Condition, Flag, Segment } from "../../../src/engine/flag.ts";
import { distributions } from "../../../src/model/compile/weights.ts";

const conditions: fc.Arbitrary<Condition> = fc.constantFrom(
  { selector: ["context", "user", "country"], op: "is", values: ["DE", "US"] },
  { selector: ["context", "user", "country"], op: "is not", values: ["FR"] },
  { selector: ["context", "user", "version"], op: "version greater", values: ["1.9.0"] },
  { selector: ["context", "user", "user_properties", "plan"], op: "is", values: ["pro", "(none)"] },
  { selector: ["context", "user", "cohort_ids"], op: "set contains any", values: ["a", "c"] },
  { selector: ["context", "user", "user_id"], op: "regex match", values: ["^user-"] },
);

const variantKeys = ["control", "treatment", "on"];

interface Plan {
  keys: string[];
  salt: string;
  selector: string[];
}

const share = ({ keys, salt, selector }: Plan): fc.Arbitrary<Segment> =>
  fc
    .tuple(
      fc.constantFrom(0, 1, 33, 50, 100),
      fc.tuple(...keys.map(() => fc.constantFrom(0, 1, 1, 2, 7, 0.5))),
      fc.constantFrom(...keys),
      fc.integer({ min: 0, max: 39 }),
    )
    .map(([percentage, weights, only, kind]): Segment => {
      const laid = distributions(keys.map((variant, index) => ({ variant, weight: weights[index] ?? 0 })));
      if (laid.length === 0 || kind === 0) return { variant: only };
      const bucket = { selector, salt, allocations: [{ range: [0, percentage] as const, distributions: laid }] };
      if (kind === 1) return { bucket: { ...bucket, salt: "other" }, variant: "off" };
      if (kind === 2) return { bucket, variant: only };
      if (kind === 3)
        return { bucket: { ...bucket, allocations: [{ range: [10, 20], distributions: laid }] }, variant: "off" };
      return { bucket, variant: "off" };
    });

const named = (segment: fc.Arbitrary<Segment>, segmentName: string) =>
  segment.map((one): Segment => ({ ...one, metadata: { segmentName } }));

const byId = (field: string, values: string[]): Condition[] => [
  { selector: ["context", "user", field], op: "is", values },
];

function flag(place: number): fc.Arbitrary<Flag> {
  const key = `flag-${place}`;
  const plans = fc.record({
    keys: fc.shuffledSubarray(variantKeys, { minLength: 2 }),
    salt: fc.constantFrom("pepper", "salt"),
    selector: fc.constantFrom("user_id", "device_id").map((field) => ["context", "user", field]),
  });
  return plans.chain((plan) => {
    const guard = fc.constantFrom(...[...new Set([Math.max(0, place - 1), 0])]).map(
      (other): Segment => ({
        conditions: [
          [{ selector: ["result", `flag-${other}`, "key"], op: "is not", values: ["control", "treatment"] }],
        ],
        variant: "off",
        metadata: { segmentName: "flag-dependencies" },
      }),
    );
    const inclusion = fc.constantFrom(...plan.keys).map(
      (variant): Segment => ({
        conditions: [byId("user_id", ["user-1"]), byId("device_id", ["user-1", "user-2"])],
        variant,
        metadata: { segmentName: "individual-inclusions" },
      }),
    );
    const sticky = plan.keys.map(
      (variant): Segment => ({
        conditions: [
          [{ selector: ["context", "user", "user_properties", `[Experiment] ${key}`], op: "is", values: [variant] }],
        ],
        variant,
        metadata: { segmentName: "sticky-bucketing" },
      }),
    );
    const target = fc
      .tuple(
        named(share(plan), "Some of them"),
        fc.array(fc.array(conditions, { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
      )
      .map(([segment, branches]): Segment => ({ ...segment, conditions: branches }));
    return fc
      .tuple(
        place === 0 ? fc.constant([]) : fc.array(guard, { maxLength: 2 }),
        fc.array(inclusion, { maxLength: 2 }),
        fc.constantFrom([], sticky, sticky.slice(1)),
        fc.array(target, { maxLength: 2 }),
        named(share(plan), "All Other Users"),
      )
      .map(
        ([guards, inclusions, stickies, targets, rest]): Flag => ({
          key,
          variants: Object.fromEntries([...plan.keys, "off"].map((one) => [one, { key: one, value: one }])),
          segments: [...guards, ...inclusions, ...stickies, ...targets, rest],
          ...(guards.length > 0 ? { dependencies: [`flag-${place - 1}`, "flag-0"] } : {}),
          metadata: { deployed: true, flagType: "release" },
        }),
      );
  });
}

/** Each may depend on those before it. */
export const amplitudeFlags: fc.Arbitrary<Flag[]> = fc
  .integer({ min: 1, max: 3 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, place) => flag(place))));
