/** Flags that use everything a flag can, and users at random who meet all of it. */
import type { ConfigurationFile } from "../../../src/model/transfer/configuration-schema.ts";

type Conditions = [selector: string[], op: string, values: string[]][];

const user = (...path: string[]) => ["context", "user", ...path];
const property = (name: string) => user("user_properties", name);

const deployments = ["App", "Back end"];
const variations = (...names: string[]) =>
  names.map((name, place) => ({ key: name, name: `Variation ${name}`, overrides: { price: { value: place + 1 } } }));
const parameters = { price: { type: "number", value: 0 }, note: { type: "string", value: "ü" } } as const;

const rolled = (key: string, rollout: object, names = ["on", "other"]) => ({
  key,
  name: key,
  status: "active" as const,
  parameters,
  deployments,
  variations: variations(...names),
  rollout,
});
const half = { percentage: 50, weights: { on: 1, other: 3 } };
const onFor = (branches: Conditions[], rest: object = half) => ({
  targeting: [
    {
      name: "Those",
      conditions: branches.map((branch) => branch.map(([selector, op, values]) => ({ selector, op, values }))),
      percentage: 100,
      weights: { on: 1 },
    },
  ],
  all_users: rest,
});

const tests: Record<string, Conditions[]> = {
  plan: [[[property("plan"), "is", ["pro", "team"]]], [[property("plan"), "is not", ["free", "(none)"]]]],
  language: [[[user("language"), "contains", ["en"]]]],
  words: [[[property("bio"), "does not contain", ["bot"]]]],
  age: [
    [
      [property("age"), "greater or equal", ["18"]],
      [property("age"), "less", ["65"]],
    ],
  ],
  version: [
    [
      [user("version"), "version greater or equal", ["2.3.0"]],
      [user("version"), "version less", ["10.0.0"]],
    ],
  ],
  tags: [[[property("tags"), "set contains any", ["beta"]]], [[property("tags"), "set is", ["a", "b"]]]],
  untagged: [[[property("tags"), "set does not contain any", ["beta"]]]],
  pattern: [[[property("mail"), "regex match", ["@example\\.(com|org)$"]]]],
  globbed: [[[property("mail"), "glob match", ["*@example.com"]]]],
  missing: [[[user("country"), "is", ["(none)"]]]],
  organisation: [[[["context", "groups", "org", "group_properties", "tier"], "is", ["gold"]]]],
  outsiders: [[[user("cohort_ids"), "set does not contain any", ["coh_Members"]]]],
};

export const everything: ConfigurationFile = {
  deployments: [
    { name: "App", type: "client" },
    { name: "Back end", type: "server" },
  ],
  cohorts: [
    { id: "coh_Members", name: "Insiders", id_type: "user", source: { type: "push" } },
    { id: "coh_Nobody", name: "Nobody yet", id_type: "user", source: { type: "push" } },
  ],
  segments: [
    { id: "seg_Members", name: "Insiders", rules: [{ match: { cohort: ["Insiders"] } }] },
    { id: "seg_Phones", name: "Phones", rules: [{ match: { platform: ["ios", "android"] } }] },
    { id: "seg_Abroad", name: "Abroad", rules: [{ not_match: { country: ["DE", "at"] } }] },
    {
      id: "seg_Mixed",
      name: "Mixed",
      rules: [
        { match: { platform: { starts_with: ["i"] }, country: { exists: true } }, not_match: { cohort: ["Insiders"] } },
        { match: { device_type: { contains: ["desk"] } } },
      ],
    },
  ] as ConfigurationFile["segments"] & object,
  feature_flags: [
    ...["split", "by_user", "by_segment"].map((key) => ({
      key,
      name: key,
      status: "active" as const,
      parameters,
      deployments,
      variations: variations("a", "b", "c"),
      ...(key === "split"
        ? { rollout: { inclusions: { b: { user_ids: ["user-7"], device_ids: ["device-9"] } }, sticky_bucketing: true } }
        : {}),
    })),
    ...Object.entries(tests).map(([key, branches]) => rolled(key, onFor(branches))),
    rolled("phones", {
      targeting: [{ name: "Phones", segment_id: "seg_Phones", percentage: 70, weights: { on: 1, other: 1 } }],
      all_users: { percentage: 5, weights: { other: 1 } },
      bucketing_key: "user_id",
    }),
    rolled("mixed", { targeting: [{ name: "Mixed", segment_id: "seg_Mixed", percentage: 100, weights: { on: 1 } }] }),
    rolled("insiders", {
      targeting: [{ name: "Insiders", segment_id: "seg_Members", percentage: 100, weights: { on: 1 } }],
      all_users: { percentage: 30, weights: { other: 1 } },
    }),
    rolled("leaf", {
      dependencies: { phones: ["on"], split: ["a", "b"] },
      all_users: { percentage: 90, weights: { on: 1 } },
    }),
    { ...rolled("unseen", { all_users: { percentage: 50, weights: { on: 1 } } }), deployments: [] },
    rolled("behind", { dependencies: { unseen: ["on"] }, all_users: { percentage: 100, weights: { on: 1 } } }),
    rolled("salted", { all_users: { percentage: 33, weights: { on: 1, other: 99 } }, bucketing_salt: "säl/t" }),
  ] as ConfigurationFile["feature_flags"] & object,
  experiments: [
    {
      id: "exp_Parts",
      name: "Split",
      feature_flag_id: "split",
      status: "active",
      is_stateful: true,
      allocations: [
        { variation_id: "a", weight: 50, is_control: true },
        { variation_id: "b", weight: 30 },
        { variation_id: "c", weight: 20 },
      ],
    },
    {
      id: "exp_ByUser",
      name: "By user",
      feature_flag_id: "by_user",
      status: "active",
      assignment_config: { subject: "user" },
      levels: [10, 60, 100],
      current_level: 60,
      allocations: [
        { variation_id: "a", weight: 50, is_control: true },
        { variation_id: "b", weight: 50 },
      ],
    },
    {
      id: "exp_BySegment",
      name: "By segment",
      feature_flag_id: "by_segment",
      status: "active",
      allocation_strategy: "segment",
      allocations: [
        { variation_id: "b", segment_id: "Insiders", priority: 1 },
        { variation_id: "c", segment_id: "Abroad", priority: 2 },
        { variation_id: "a", is_control: true, is_fallback: true },
      ],
    },
  ],
  groups: [
    { key: "everyone", name: "Everyone", type: "holdout", percentage: 10, feature_flag_ids: ["split", "mixed"] },
    {
      key: "pages",
      name: "Pages",
      type: "mutual_exclusion",
      slots: [
        { percentage: 50, feature_flag_ids: ["split"] },
        { percentage: 40, feature_flag_ids: ["by_user"] },
      ],
    },
  ],
};

/** mulberry32: the same users in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type RandomUser = Record<string, unknown>;

/** Each with an id at least; about one in a hundred is `user-<n>` with a small n. */
export function createUsers(count: number, seed = 1): RandomUser[] {
  const random = createRandom(seed);
  const one = (...choices: unknown[]): unknown => choices[Math.floor(random() * choices.length)];
  const number = (below: number) => Math.floor(random() * below);
  const id = (kind: string) => one(`${kind}-${number(count)}`, `${kind}-${number(40)}`, `${kind}-ü-${number(999)}-吉`);
  const ofUser = () => ({
    plan: one("pro", "team", "free", "PRO", "", null, undefined),
    bio: one("a robot", "a person", "BOT", undefined),
    age: one(17, 18, "30", 64.9, 65, "x", undefined),
    tags: one(["beta"], ["a", "b"], ["b", "a", "beta"], [], ["c"], undefined),
    mail: one("a@example.com", "b@example.org", "c@example.net", undefined),
    "[Experiment] split": one("a", "b", "c", "off", undefined, undefined),
  });
  return Array.from({ length: count }, () => {
    const isKnown = random() < 0.7;
    const made: RandomUser = {
      user_id: isKnown ? id("user") : undefined,
      device_id: !isKnown || random() < 0.8 ? id("device") : undefined,
      platform: one("iOS", "ios", "IOS", "Android", "Web", "web", undefined),
      country: one("DE", "de", "AT", "United States", "us", undefined),
      device_type: one("Desktop", "desktop", "mobile", undefined),
      language: one("en-US", "English", "de", undefined),
      version: one("2.3.0", "2.3", "2.2.9", "10.0.0", "9.9.9-rc.1", "new", undefined),
      user_properties: one(ofUser(), ofUser(), ofUser(), undefined),
      groups: one({ org: ["acme"] }, undefined, undefined),
      group_properties: { org: { acme: { tier: one("gold", "tin") } } },
    };
    return JSON.parse(JSON.stringify(made));
  });
}
