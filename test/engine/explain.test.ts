import { expect, test } from "vitest";
import { compileFlags } from "../../src/engine/compile.ts";
import { explain } from "../../src/engine/explain.ts";
import type { EvaluationContext, Flag } from "../../src/engine/flag.ts";
import type { FlagTrace } from "../../src/engine/trace.ts";

const flag: Flag = {
  key: "login-page",
  variants: { on: { key: "on" }, off: { key: "off" } },
  segments: [
    {
      conditions: [
        [{ selector: ["context", "user", "user_id"], op: "is", values: ["a", "b", "c", "d", "e", "f"] }],
        [{ selector: ["context", "user", "device_id"], op: "is", values: ["phone"] }],
      ],
      variant: "gone",
      metadata: { segmentName: "individual-inclusions" },
    },
    {
      bucket: {
        selector: ["context", "user", "device_id"],
        salt: "exp_1",
        allocations: [{ range: [0, 60], distributions: [{ variant: "on", range: [0, 42_949_673] }] }],
      },
      variant: "off",
    },
  ],
};

function trace(context: EvaluationContext, flags: Flag[] = [flag]): FlagTrace[] {
  const traces: FlagTrace[] = [];
  compileFlags(flags).evaluate(context, undefined, traces);
  return traces;
}
const explainOne = (context: EvaluationContext, flags?: Flag[]): string[] => trace(context, flags).flatMap(explain);

test("says what each condition saw, the hash, the buckets and what ended the search", () => {
  expect(explainOne({ user: { user_id: "x", device_id: "d1" } })).toEqual([
    'Flag "login-page":',
    "  Segment 1 (individual-inclusions) does not match.",
    '    no: context.user.user_id is "a", "b", "c", "d", "e" … (6 values); it is "x"',
    "    or else",
    '    no: context.user.device_id is "phone"; it is "d1"',
    "  Segment 2 matches.",
    '    hash of "exp_1/d1" is 1329454656',
    "    its allocation bucket 56 is in 0 up to, not including, 60: allocated",
    '    its variation bucket 13294546 is in 0 up to, not including, 42949673: "on"',
    '    it gives "on", which ends the search',
    'The variant is "on".',
  ]);
});

test("says why there is no allocation, nothing to bucket, or no such variant", () => {
  expect(explainOne({ user: { device_id: "d4" } })).toContain(
    "    its allocation bucket 97 is in no allocation: not allocated",
  );
  expect(explainOne({})).toContain("    context.user.device_id is missing or empty, so there is nothing to bucket");
  expect(explainOne({ user: { device_id: "phone" } })).toContain(
    '    it gives "gone", which the flag does not have: the next segment is tried',
  );
});

test("says that a flag is absent, or broken", () => {
  expect(explainOne({}, [{ ...flag, segments: [{}] }]).slice(1)).toEqual([
    "  Segment 1 matches.",
    "    it gives no variant: the next segment is tried",
    "No segment gives a variant: the flag is absent.",
  ]);
  expect(explainOne({}, [{ ...flag, dependencies: ["login-page"] }])).toEqual([
    'Flag "login-page" cannot be evaluated: the flag depends on itself, directly or through others.',
  ]);
});

test("shows long, cyclic and odd values without failing", () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  for (const user_id of ["x".repeat(1000), cycle, 1n, Symbol("s"), null]) {
    const lines = explainOne({ user: { user_id } });
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(250);
  }
});

test("the trace bears the hash input, hash, buckets and ranges as data", () => {
  const [first] = trace({ user: { device_id: "d1" } });
  expect(first?.variant).toBe("on");
  expect(first?.segments[0]).toMatchObject({ index: 0, name: "individual-inclusions", matched: false });
  expect(first?.segments[0]?.groups[0]?.[0]).toMatchObject({ saw: undefined, matched: false });
  expect(first?.segments[1]?.bucket).toEqual({
    selector: ["context", "user", "device_id"],
    input: "exp_1/d1",
    hash: 1329454656,
    allocation: 56,
    distribution: 13294546,
    allocationRange: [0, 60],
    distributionRange: [0, 42_949_673],
  });
});
