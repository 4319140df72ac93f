import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileFlags } from "../../../src/engine/compile.ts";
import type { Bucket, EvaluationContext, Flag, Segment } from "../../../src/engine/flag.ts";
import { groupFlag } from "../../../src/model/compile/group-flag.ts";
import { rolloutFlag } from "../../../src/model/compile/rollout-flag.ts";
import { distributions } from "../../../src/model/compile/weights.ts";
import { membershipsOf, type Resources, variationsOf } from "../../../src/model/resources.ts";
import { readAmplitudeFlags } from "../../../src/model/transfer/amplitude-flags.ts";
import { planAmplitudeImport } from "../../../src/model/transfer/amplitude-import.ts";
import { context as anyContext, flags as anyFlags } from "../../engine/arbitraries.ts";
import { createRandom } from "../../engine/random.ts";
import { at, imported, nothing } from "../importing.ts";
import { amplitudeFlags } from "./amplitude-arbitraries.ts";

const users = 2_000;
const variant = (key: string, more: object = {}) => [key, { key, value: key, ...more }] as const;
const variants = Object.fromEntries([variant("control"), variant("treatment"), variant("off")]);
const share = (...weights: [string, number][]) =>
  distributions(weights.map(([key, weight]) => ({ variant: key, weight })));
const bucket = (percentage: number, ...weights: [string, number][]): Bucket => ({
  selector: ["context", "user", "user_id"],
  salt: "pepper",
  allocations: [{ range: [0, percentage], distributions: share(...weights) }],
});
const everyone = (segment: Segment): Segment => ({
  variant: "off",
  metadata: { segmentName: "All Other Users" },
  ...segment,
});
const halves = everyone({ bucket: bucket(100, ["control", 50], ["treatment", 50]) });
const flag = (changes: Partial<Flag> = {}): Flag => ({
  key: "page",
  variants,
  segments: [halves],
  metadata: { deployed: true, evaluationMode: "remote", flagType: "release", flagVersion: 3 },
  ...changes,
});

const problems = (...list: unknown[]) => {
  const plan = planAmplitudeImport(list, { current: nothing, at, prune: false, activeLimit: 1 });
  return plan.problems.map(({ path, message }) => `${path} ${message}`);
};
const warnings = (...list: unknown[]) =>
  readAmplitudeFlags(list).warnings.map(({ path, message }) => `${path} ${message}`);
const rolloutOf = (one: Flag) => imported(readAmplitudeFlags([one]).file).feature_flags[0]?.rollout;

/** Every flag as it would be published, whatever its state. */
function compiled(resources: Resources) {
  return compileFlags([
    ...resources.groups.map((group) => groupFlag(group, 1)),
    ...resources.feature_flags.map((one) =>
      rolloutFlag({
        flag: one,
        variations: variationsOf(one, resources),
        segments: [],
        memberships: membershipsOf(one.id, resources),
        flagVersion: 1,
      }),
    ),
  ]);
}

/** No variant and `off` are the same: nothing is changed. */
function expectAgreement(list: readonly Flag[], contexts: Iterable<EvaluationContext>): void {
  const original = compileFlags(list);
  const ours = compiled(imported(readAmplitudeFlags(list).file, { activeLimit: 9 }));
  expect([...ours.faults]).toEqual([]);
  const keys = list.filter(({ key }) => !/^(holdout|mutex)-/.test(key)).map(({ key }) => key);
  for (const context of contexts) {
    const [wanted, got] = [original.evaluate(context), ours.evaluate(context)].map((results) =>
      keys.map((key) => results[key]?.key ?? "off"),
    );
    if (JSON.stringify(wanted) !== JSON.stringify(got)) expect({ context, got }).toEqual({ context, got: wanted });
  }
}

function* randomUsers(seed: number): Generator<EvaluationContext> {
  const random = createRandom(seed);
  for (let count = 0; count < users; count++) {
    const id = () => (random(12) === 0 ? undefined : random(8) === 0 ? `user-${random(3)}` : `${random(1e9)}-é`);
    yield {
      user: {
        ...(random(20) === 0 ? { user_id: "" } : { user_id: id() }),
        device_id: id(),
        country: ["DE", "US", "FR", undefined][random(4)],
        version: ["1.2.3", "2.0.0", "10.1"][random(3)],
        cohort_ids: [["a"], ["b", "c"], []][random(3)],
        user_properties: {
          plan: ["pro", "free", undefined][random(3)],
          ...(random(3) === 0
            ? { [`[Experiment] flag-${random(4)}`]: ["on", "control", "treatment", "gone"][random(4)] }
            : {}),
        },
      },
    };
  }
}

describe("Amplitude's flags", () => {
  it(`give ${users} users the variants they gave before, where nothing speaks against importing them`, {
    timeout: 60_000,
  }, () => {
    let sound = 0;
    void fc.assert(
      fc.property(amplitudeFlags, fc.integer(), (list, seed) => {
        if (problems(...list).length > 0) return;
        sound++;
        expectAgreement(list, randomUsers(seed));
      }),
      { numRuns: 60 },
    );
    expect(sound).toBeGreaterThan(10);
  });

  it("never mean another thing without a problem, whatever they look like", { timeout: 60_000 }, () => {
    let sound = 0;
    void fc.assert(
      fc.property(anyFlags, fc.array(anyContext, { minLength: 20, maxLength: 20 }), (list, contexts) => {
        for (const { dependencies: _, ...one } of list) {
          const plain = { ...one, metadata: {} };
          if (problems(plain).length > 0) continue;
          sound++;
          expectAgreement([plain], contexts);
        }
      }),
      { numRuns: 300 },
    );
    expect(sound).toBeGreaterThan(3);
  });

  it("keep percentages, weights, salt and key as people wrote them", () => {
    const segments = [
      {
        conditions: [[{ selector: ["context", "user", "country"], op: "is", values: ["DE"] }]],
        bucket: bucket(20, ["control", 1], ["treatment", 3]),
        variant: "off",
        metadata: { segmentName: "Germans" },
      },
      halves,
    ];
    expect(rolloutOf(flag({ segments }))).toEqual({
      bucketing_key: "user_id",
      bucketing_salt: "pepper",
      targeting: [
        {
          name: "Germans",
          conditions: segments[0]?.conditions,
          percentage: 20,
          weights: { control: 25, treatment: 75 },
        },
      ],
      all_users: { percentage: 100, weights: { control: 50, treatment: 50 } },
    });
  });

  it.each<[string, [string, number][], Record<string, number>]>([
    [
      "thirds",
      [
        ["a", 1],
        ["b", 1],
        ["c", 1],
      ],
      { a: 1, b: 1, c: 1 },
    ],
    [
      "one in a hundred",
      [
        ["a", 1],
        ["b", 99],
      ],
      { a: 1, b: 99 },
    ],
    [
      "one in a thousand",
      [
        ["a", 1],
        ["b", 999],
      ],
      { a: 1, b: 999 },
    ],
  ])("find %s", (_, weights, expected) => {
    const keys = weights.map(([key]) => variant(key));
    const one = flag({
      variants: Object.fromEntries([...keys, variant("off")]),
      segments: [everyone({ bucket: bucket(100, ...weights) })],
    });
    const found = rolloutOf(one)?.all_users?.weights ?? {};
    const [unit = 1] = Object.values(found);
    expect(Object.fromEntries(Object.entries(found).map(([key, weight]) => [key, weight / unit]))).toEqual(expected);
  });

  it("keep dependencies, inclusions and stickiness, and groups as groups", () => {
    const list: Flag[] = [
      {
        key: "mutex-pages",
        variants: Object.fromEntries([variant("slot-1"), variant("slot-2"), variant("unallocated")]),
        segments: [
          everyone({
            bucket: bucket(100, ["slot-1", 30], ["slot-2", 50], ["unallocated", 20]),
            variant: "unallocated",
          }),
        ],
        metadata: { deployed: false, flagType: "mutual-exclusion-group" },
      },
      {
        key: "holdout-all",
        variants: Object.fromEntries([variant("holdout"), variant("on")]),
        segments: [everyone({ bucket: bucket(100, ["holdout", 5], ["on", 95]), variant: "holdout" })],
        metadata: { deployed: false, flagType: "holdout-group" },
      },
      flag({ key: "first" }),
      flag({
        dependencies: ["first", "mutex-pages", "holdout-all"],
        segments: [
          {
            conditions: [
              [{ selector: ["result", "first", "key"], op: "is not", values: ["treatment"] }],
              [{ selector: ["result", "mutex-pages", "key"], op: "is not", values: ["slot-2"] }],
              [{ selector: ["result", "holdout-all", "key"], op: "is not", values: ["on"] }],
            ],
            variant: "off",
            metadata: { segmentName: "flag-dependencies" },
          },
          {
            conditions: [
              [{ selector: ["context", "user", "user_id"], op: "is", values: ["user-1"] }],
              [{ selector: ["context", "user", "device_id"], op: "is", values: ["user-2"] }],
            ],
            variant: "treatment",
            metadata: { segmentName: "individual-inclusions" },
          },
          ...["control", "treatment"].map((key) => ({
            conditions: [
              [{ selector: ["context", "user", "user_properties", "[Experiment] page"], op: "is", values: [key] }],
            ],
            variant: key,
            metadata: { segmentName: "sticky-bucketing" },
          })),
          halves,
        ],
      }),
    ];
    expect(problems(...list)).toEqual([]);
    const resources = imported(readAmplitudeFlags(list).file);
    expect(resources.feature_flags[1]?.rollout).toEqual({
      bucketing_key: "user_id",
      bucketing_salt: "pepper",
      dependencies: { first: ["treatment"] },
      inclusions: { treatment: { user_ids: ["user-1"], device_ids: ["user-2"] } },
      sticky_bucketing: true,
      all_users: { percentage: 100, weights: { treatment: 50, control: 50 } },
    });
    expect(resources.groups).toMatchObject([
      {
        type: "mutual_exclusion",
        key: "pages",
        bucketing_salt: "pepper",
        slots: [
          { percentage: 30, feature_flag_ids: [] },
          { percentage: 50, feature_flag_ids: [resources.feature_flags[1]?.id] },
        ],
      },
      { type: "holdout", key: "all", percentage: 5 },
    ]);
    expectAgreement(list, randomUsers(1));
  });

  it("keep payloads: by property where they have the same, else as one parameter", () => {
    const carrying = (control: unknown, treatment: unknown) =>
      flag({
        variants: Object.fromEntries([
          variant("control", { payload: control }),
          variant("treatment", { payload: treatment }),
          variant("off"),
        ]),
      });
    const read = (one: Flag) => {
      const { feature_flags = [] } = readAmplitudeFlags([one]).file;
      return {
        parameters: feature_flags[0]?.parameters,
        overrides: feature_flags[0]?.variations.map(({ overrides }) => overrides),
      };
    };
    expect(read(carrying({ price: 1, tags: [] }, { price: 2, tags: [] }))).toEqual({
      parameters: { price: { type: "number", value: 1 }, tags: { type: "array", value: [] } },
      overrides: [{}, { price: { value: 2 } }],
    });
    const lacking = carrying(undefined, { price: 2 });
    expect(read(lacking)).toEqual({
      parameters: { price: { type: "number", value: 0 } },
      overrides: [{}, { price: { value: 2 } }],
    });
    expect(warnings(lacking)).toEqual([
      '[0].variants.control flag "page", variant "control": carries no price, and as a parameter it is 0 now',
    ]);
    expect(read(carrying("a", "b")).parameters).toEqual({ payload: { type: "string", value: "a" } });
    expect(problems(carrying("a", 1))).toHaveLength(2);
  });

  it("become drafts unless they are deployed and may be active", () => {
    const statusOf = (one: Flag) => readAmplitudeFlags([one]).file.feature_flags?.[0]?.status;
    expect(statusOf(flag())).toBe("active");
    expect(statusOf(flag({ metadata: {} }))).toBe("draft");
    const single = flag({
      variants: Object.fromEntries([variant("on"), variant("off")]),
      segments: [everyone({ variant: "on" })],
    });
    expect(statusOf(single)).toBe("draft");
    expect(warnings(single)).toEqual([
      '[0] flag "page": has one variant beside off, and an active flag needs two: becomes a draft',
    ]);
  });

  it("keep from a variant those without the id that chance asked for", () => {
    const certain = flag({ segments: [everyone({ bucket: bucket(100, ["treatment", 1]) })] });
    expect(problems(certain)).toEqual([]);
    expectAgreement([certain], randomUsers(2));
  });

  const two = (first: Bucket) => [
    {
      conditions: [[{ selector: ["context", "user", "country"], op: "is", values: ["DE"] }]],
      bucket: first,
      variant: "off",
      metadata: { segmentName: "Germans" },
    },
    halves,
  ];
  it.each<[string, Partial<Flag>, string]>([
    [
      "another salt",
      { segments: two({ ...bucket(100, ["control", 1], ["treatment", 1]), salt: "salt" }) },
      '[0].segments[1] flag "page", segment "All Other Users": has the salt pepper where another has salt',
    ],
    [
      "another id",
      {
        segments: two({
          ...bucket(10, ["control", 1]),
          selector: ["context", "groups", "org", "group_name"],
        }),
      },
      '[0].segments[0] flag "page", segment "Germans": hashes context.groups.org.group_name; only user_id and device_id can be hashed',
    ],
    [
      "another order",
      { segments: two(bucket(100, ["treatment", 1], ["control", 1])) },
      '[0].segments[1] flag "page", segment "All Other Users": divides subjects in the order control, treatment, others in another',
    ],
    [
      "a share from the middle",
      {
        segments: two({
          ...bucket(10),
          allocations: [{ range: [5, 10], distributions: share(["control", 1]) }],
        }),
      },
      '[0].segments[0] flag "page", segment "Germans": allocates from 5% up; only from 0 can be said',
    ],
    [
      "a variant for the rest",
      { segments: [{ bucket: bucket(10, ["treatment", 1]), variant: "control" }] },
      '[0].segments[0] flag "page", segment 1: gives control to whom it allocates nothing; only off can be said',
    ],
    [
      "a result of another flag in a condition",
      {
        segments: [
          {
            conditions: [[{ selector: ["result", "other", "key"], op: "is", values: ["on"] }]],
            variant: "treatment",
            metadata: { segmentName: "Others" },
          },
          halves,
        ],
      },
      '[0].segments[0] flag "page", segment "Others": ["result","other","key"] must be a path such as ["context","user","country"]',
    ],
    [
      "an expression that could take for ever",
      {
        segments: [
          {
            conditions: [[{ selector: ["context", "user", "country"], op: "regex match", values: ["(?=a)"] }]],
            variant: "treatment",
            metadata: { segmentName: "Others" },
          },
          halves,
        ],
      },
      '[0] flag "page", segment "Others", rollout.targeting[0].conditions: ',
    ],
    ["a key of another form", { key: "My page!" }, '[0] flag "My page!", key: must be lower-case letters'],
    [
      "what client deployments are shown",
      { segments: [{ variant: "off", metadata: { segmentName: "default" } }] },
      '[0].segments[0] flag "page", segment "default": is what client deployments are shown; ask with a server deployment\'s key',
    ],
  ])("cannot express %s", (_, changes, expected) => {
    const [problem, ...others] = problems(flag(changes));
    expect(others).toEqual([]);
    expect(problem?.startsWith(expected), problem).toBe(true);
  });

  it("are a list of flags and nothing else", () => {
    expect(readAmplitudeFlags({ page: flag() }).problems).toEqual([
      { path: "", message: "must be the list of flags that GET /sdk/v2/flags gives" },
    ]);
    expect(problems(3, { key: "page" })).toEqual(["[0] must be an object, not 3", "[1].variants is missing"]);
  });
});
