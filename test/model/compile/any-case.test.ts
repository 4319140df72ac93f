import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileFlags } from "../../../src/engine/compile.ts";
import type { Flag } from "../../../src/engine/flag.ts";
import { inAnyCase } from "../../../src/model/compile/any-case.ts";
import { segmentConditions } from "../../../src/model/compile/segment-conditions.ts";
import type { Segment, SegmentExpression } from "../../../src/model/segment.ts";

const flagOn = (rules: Segment["rules"]): Flag => ({
  key: "flag",
  variants: { on: { key: "on" } },
  segments: [{ conditions: segmentConditions({ rules }), variant: "on" }],
});
const matches = (flags: readonly Flag[], user: Record<string, unknown>) =>
  Object.hasOwn(compileFlags(flags).evaluate({ user }), "flag");

describe("inAnyCase", () => {
  it.each<[string, SegmentExpression, string[], string[]]>([
    ["platform", ["ios"], ["ios", "iOS", "IOS", "Ios"], ["Web", "ios 17", ""]],
    ["platform", ["Windows_Phone"], ["windows_phone", "Windows Phone"], ["Windows"]],
    ["platform", { starts_with: ["io"] }, ["iOS", "ios", "IOS"], ["xios"]],
    ["platform", { ends_with: ["os"] }, ["iOS", "macOS", "macos", "MACOS"], ["osx"]],
    ["browser", ["chrome"], ["Chrome", "chrome"], ["chromium"]],
    ["device_type", { contains: ["mob"] }, ["Mobile", "mobile"], ["desktop"]],
    ["country", ["us"], ["US", "us"], ["USA"]],
    // What means something else to the engine is compared by a pattern.
    ["platform", ["true"], ["true", "TRUE"], ["false"]],
  ])("takes every usual way to write %s %j", (attribute, wanted, ways, others) => {
    const match = inAnyCase([flagOn([{ match: { [attribute]: wanted } }])]);
    const unlike = inAnyCase([flagOn([{ not_match: { [attribute]: wanted } }])]);
    for (const way of ways) expect([way, matches(match, { [attribute]: way })]).toEqual([way, true]);
    for (const other of others) expect([other, matches(match, { [attribute]: other })]).toEqual([other, false]);
    for (const way of ways) expect([way, matches(unlike, { [attribute]: way })]).toEqual([way, false]);
    for (const other of others) expect([other, matches(unlike, { [attribute]: other })]).toEqual([other, true]);
    expect([matches(match, {}), matches(unlike, {})]).toEqual([false, true]);
  });

  it("changes nothing for values that are folded already", () => {
    const expression = fc.oneof(
      fc.array(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 }),
      fc.record({ starts_with: fc.array(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 }) }),
      fc.record({ ends_with: fc.array(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 }) }),
    );
    fc.assert(
      fc.property(expression, fc.boolean(), fc.string({ maxLength: 6 }), (wanted, isMatch, value) => {
        const rule = isMatch ? { match: { platform: wanted } } : { not_match: { platform: wanted } };
        const flags = [flagOn([rule])];
        const folded = value.toLowerCase();
        expect(matches(inAnyCase(flags), { platform: folded })).toBe(matches(flags, { platform: folded }));
      }),
      { numRuns: 500 },
    );
  });

  it("gives back what asks about none of them", () => {
    const flags = [flagOn([{ match: { region: ["us"], client_id: { starts_with: ["a"] } } }])];
    expect(inAnyCase(flags)).toBe(flags);
    const deep: Flag[] = [
      {
        key: "deep",
        variants: {},
        segments: [
          {
            conditions: [[{ selector: ["context", "user", "user_properties", "platform"], op: "is", values: ["ios"] }]],
          },
          { conditions: [[{ selector: ["context", "user", "platform"], op: "glob", values: ["ios"] }]] },
        ],
      },
    ];
    expect(inAnyCase(deep)).toBe(deep);
  });
});
