import { EvaluationEngine } from "@amplitude/experiment-core";
import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { compileFlags } from "../../../src/engine/compile.ts";
import type { Flag } from "../../../src/engine/flag.ts";
import { checkSegment } from "../../../src/model/check/check-segment.ts";
import {
  branchCount,
  foldAttribute,
  maxBranches,
  segmentConditions,
} from "../../../src/model/compile/segment-conditions.ts";
import {
  rulesSchema,
  type Segment,
  type SegmentAttribute,
  type SegmentExpression,
  type SegmentRule,
  segmentAttributes,
} from "../../../src/model/segment.ts";
import { cohort, resources } from "../resources.ts";

type Visitor = Partial<Record<SegmentAttribute, string>>;

function flagOn(rules: readonly SegmentRule[]): Flag {
  return {
    key: "flag",
    variants: { in: { key: "in" }, out: { key: "out" } },
    segments: [{ conditions: segmentConditions({ rules: [...rules] }), variant: "in" }, { variant: "out" }],
  };
}

/** What the engine answers; Amplitude's and ours must agree. */
function matches(rules: readonly SegmentRule[], visitor: Visitor & { cohort_ids?: string[] }): boolean {
  const flag = flagOn(rules);
  const ours = compileFlags([flag]).evaluate({ user: visitor }).flag?.key;
  // Its types ask for mutable lists.
  const theirs = new EvaluationEngine().evaluate({ user: visitor }, [structuredClone(flag) as never]).flag?.key;
  expect(ours).toBe(theirs);
  return ours === "in";
}

/** The rules read word by word. */
function reads(rules: readonly SegmentRule[], visitor: Visitor): boolean {
  return rules.some(
    (rule) =>
      attributesOf(rule.match).every(([attribute, wanted]) => holds(attribute, wanted, visitor[attribute])) &&
      !attributesOf(rule.not_match).some(([attribute, wanted]) => holds(attribute, wanted, visitor[attribute])),
  );
}

function attributesOf(attributes: SegmentRule["match"]) {
  return Object.entries(attributes ?? {}) as [SegmentAttribute, SegmentExpression][];
}

function holds(attribute: SegmentAttribute, wanted: SegmentExpression, value: string | undefined): boolean {
  const folded = (values: string[]) => values.map((one) => foldAttribute(attribute, one));
  if ("exists" in wanted) return (value !== undefined) === wanted.exists;
  if (value === undefined) return false;
  if (Array.isArray(wanted)) return folded(wanted).includes(value);
  if ("contains" in wanted) {
    return wanted.contains.some((one) => value.toLowerCase().includes(one.toLowerCase()));
  }
  if ("starts_with" in wanted) return folded(wanted.starts_with).some((one) => value.startsWith(one));
  return folded(wanted.ends_with).some((one) => value.endsWith(one));
}

describe("segmentConditions", () => {
  const mobile: Visitor = { device_type: "mobile", country: "CH", domain: "login.example.com" };
  it.each<[string, SegmentRule[], Visitor, boolean]>([
    ["any value", [{ match: { device_type: ["tablet", "mobile"] } }], mobile, true],
    ["no value", [{ match: { device_type: ["tablet"] } }], mobile, false],
    ["all attributes", [{ match: { device_type: ["mobile"], country: ["DE"] } }], mobile, false],
    ["any rule", [{ match: { country: ["DE"] } }, { match: { country: ["CH"] } }], mobile, true],
    ["device types in lower case", [{ match: { device_type: ["Mobile"] } }], mobile, true],
    ["countries in upper case", [{ match: { country: ["ch"] } }], mobile, true],
    ["others exactly", [{ match: { domain: ["Login.example.com"] } }], mobile, false],
    ["contains in any case", [{ match: { domain: { contains: ["EXAMPLE"] } } }], mobile, true],
    ["starts_with", [{ match: { domain: { starts_with: ["login."] } } }], mobile, true],
    ["starts_with is anchored", [{ match: { domain: { starts_with: ["example"] } } }], mobile, false],
    ["ends_with", [{ match: { domain: { ends_with: [".com"] } } }], mobile, true],
    ["ends_with takes a dot as a dot", [{ match: { domain: { ends_with: ["e.om"] } } }], mobile, false],
    ["exists", [{ match: { region: { exists: true } } }], mobile, false],
    ["does not exist", [{ match: { region: { exists: false } } }], mobile, true],
    ["not_match: none may match", [{ not_match: { device_type: ["mobile"], country: ["DE"] } }], mobile, false],
    ["not_match: missing is", [{ not_match: { region: ["ZH"] } }], mobile, true],
    ["not_match: missing contains", [{ not_match: { region: { contains: ["ZH"] } } }], mobile, true],
    ["not_match: missing starts_with", [{ not_match: { region: { starts_with: ["ZH"] } } }], mobile, true],
    ["not_match: missing exists", [{ not_match: { region: { exists: true } } }], mobile, true],
    [
      "match and not_match on one attribute",
      [{ match: { domain: { ends_with: ["example.com"] } }, not_match: { domain: { starts_with: ["login"] } } }],
      mobile,
      false,
    ],
    ["(none) as a text", [{ match: { region: ["(none)"] } }], mobile, false],
    ["(none) as a part", [{ match: { region: { contains: ["(none)"] } } }], mobile, false],
    ["(none) negated", [{ not_match: { region: { contains: ["(none)"] } } }], mobile, true],
    ["true exactly", [{ match: { connection: ["true"] } }], { connection: "TRUE" }, false],
  ])("%s", (_, rules, visitor, expected) => {
    expect(matches(v.parse(rulesSchema, rules), visitor)).toBe(expected);
    expect(reads(rules, visitor)).toBe(expected);
  });

  it.each<[string, SegmentRule[], string[], boolean]>([
    ["in one of them", [{ match: { cohort: ["coh_A", "coh_B"] } }], ["coh_B", "coh_X"], true],
    ["in another", [{ match: { cohort: ["coh_A"] } }], ["coh_X"], false],
    ["in none at all", [{ match: { cohort: ["coh_A"] } }], [], false],
    ["not in it", [{ not_match: { cohort: ["coh_A"] } }], ["coh_X"], true],
    ["not in it, for in none", [{ not_match: { cohort: ["coh_A"] } }], [], true],
    ["in one that must not be", [{ not_match: { cohort: ["coh_A", "coh_B"] } }], ["coh_B"], false],
    [
      "in the right and the wrong",
      [{ match: { cohort: ["coh_A"] }, not_match: { cohort: ["coh_B"] } }],
      ["coh_A", "coh_B"],
      false,
    ],
    ["and elsewhere", [{ match: { cohort: ["coh_A"], country: ["DE"] } }], ["coh_A"], false],
    ["and here", [{ match: { cohort: ["coh_A"], country: ["CH"] } }], ["coh_A"], true],
    [
      "with what multiplies branches",
      [{ not_match: { cohort: ["coh_A"], domain: { starts_with: ["x"] } } }],
      ["coh_A"],
      false,
    ],
  ])("cohorts: %s", (_, rules, cohort_ids, expected) => {
    expect(matches(v.parse(rulesSchema, rules), { country: "CH", cohort_ids })).toBe(expected);
  });

  it.each([[[]], ["coh_A"], [["seg_A"]], [{ contains: ["coh_A"] }], [{ exists: true }], [[7]]])(
    "a cohort is named by its id in a list, not by %j",
    (cohort) => {
      expect(v.safeParse(rulesSchema, [{ match: { cohort } }]).success).toBe(false);
    },
  );

  // What the engine gives another meaning than the text's own: lists as text, and the text for a missing one.
  const plain = (text: string) => text !== "(none)" && !text.startsWith("[");
  const letters = fc.constantFrom("a", "A", "b", ".", "(", "\\", "$", "^", "|", "\n", "é", "🚀", "-");
  const text = fc.oneof(
    fc.string({ unit: letters, maxLength: 4 }),
    fc.constantFrom("", "true", "TRUE", "False", "mobile", "Mobile", "CH", "ch"),
    fc.string(),
  );
  const ruleValues = fc.array(fc.oneof(text, fc.constant("(none)")), { minLength: 1, maxLength: 3 });
  const expression: fc.Arbitrary<SegmentExpression> = fc.oneof(
    ruleValues,
    ruleValues.map((contains) => ({ contains })),
    ruleValues.map((starts_with) => ({ starts_with })),
    ruleValues.map((ends_with) => ({ ends_with })),
    fc.boolean().map((exists) => ({ exists })),
  );
  const few = ["device_type", "country", "domain", "region"] as const satisfies readonly SegmentAttribute[];
  const attributes = fc.dictionary(fc.constantFrom(...few), expression, { minKeys: 1, maxKeys: 4 });
  const rule = fc.oneof(
    attributes.map((match): SegmentRule => ({ match })),
    attributes.map((not_match): SegmentRule => ({ not_match })),
    fc.tuple(attributes, attributes).map(([match, not_match]): SegmentRule => ({ match, not_match })),
  );
  const rules = fc.array(rule, { minLength: 1, maxLength: 3 });

  it("matches exactly when the rules, read word by word, do", { timeout: 60_000 }, () => {
    // Visitors are drawn from the rules' own values too, or nothing would ever match.
    const cases = rules.chain((drawn) => {
      const wanted = JSON.parse(JSON.stringify(drawn), (_, value) => value) as SegmentRule[];
      const values = wanted
        .flatMap((one) => [...attributesOf(one.match), ...attributesOf(one.not_match)])
        .flatMap(([attribute, e]) =>
          (Array.isArray(e) ? e : Object.values(e).flatMap((x) => (Array.isArray(x) ? x : []))).map((one) =>
            foldAttribute(attribute, one),
          ),
        );
      const value = fc
        .oneof(
          text,
          fc.constantFrom("", ...values),
          fc.constantFrom("", ...values).map((one) => `a${one}`),
        )
        .filter(plain);
      return fc.tuple(fc.constant(wanted), fc.dictionary(fc.constantFrom(...few), value, { maxKeys: 4 }));
    });
    let hits = 0;
    fc.assert(
      fc.property(cases, ([wanted, visitor]) => {
        const expected = reads(wanted, visitor);
        if (expected) hits += 1;
        expect(matches(wanted, visitor)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
    expect(hits).toBeGreaterThan(300);
  });
});

describe("checkSegment", () => {
  const segment = (rule: SegmentRule): Segment => ({
    id: "seg_A",
    name: "Some",
    type: "self",
    rules: [rule],
    created_at: "2025-01-01T00:00:00Z",
    updated_at: "2025-01-01T00:00:00Z",
  });
  const check = (of: Segment) => checkSegment(of, resources({ segments: [of] }));
  const startsWith = (count: number) =>
    Object.fromEntries(segmentAttributes.slice(0, count).map((attribute) => [attribute, { starts_with: ["x"] }]));

  it("bounds the branches that negated prefixes multiply to", () => {
    expect(branchCount({ not_match: startsWith(6) })).toBe(maxBranches);
    expect(segmentConditions({ rules: [{ not_match: startsWith(6) }] })).toHaveLength(maxBranches);
    expect(check(segment({ not_match: startsWith(6) }))).toEqual([]);
    expect(check(segment({ match: startsWith(10) }))).toEqual([]);
    expect(check(segment({ not_match: startsWith(7) }))).toMatchObject([
      { code: "segment_too_complex", path: "segments[0].rules[0]" },
    ]);
  });

  it("finds cohorts that are not there, wherever they are named", () => {
    const named = segment({ match: { cohort: ["coh_A", "coh_B"] }, not_match: { cohort: ["coh_C"] } });
    expect(checkSegment(named, resources({ segments: [named], cohorts: [cohort("A")] }))).toEqual([
      { code: "cohort_not_found", message: "no cohort coh_B", path: "segments[0].rules[0].match.cohort[1]" },
      { code: "cohort_not_found", message: "no cohort coh_C", path: "segments[0].rules[0].not_match.cohort[0]" },
    ]);
  });

  it("takes values as long as the API allows", () => {
    const long = "x".repeat(1024);
    const rules: SegmentRule[] = [
      { match: { domain: { starts_with: [long] } } },
      { match: { domain: { ends_with: ["short", long] } } },
      { match: { country: ["true", long] } },
      { match: { domain: { contains: [long] } } },
    ];
    for (const rule of rules) {
      expect(check(segment(rule))).toEqual([]);
      expect(matches([rule], { domain: long, country: long.toUpperCase() })).toBe(true);
    }
    expect(matches([{ match: { domain: { starts_with: [long, "y"] } } }], { domain: "yes" })).toBe(true);
    expect(matches([{ not_match: { domain: { starts_with: [long] } } }], { domain: `${long}y` })).toBe(false);
    expect(matches([{ not_match: { domain: { starts_with: [long] } } }], { domain: "y" })).toBe(true);
  });
});
