/** Random files for an import: sound ones, with all that resources may hold. */
import * as fc from "fast-check";
import type { ConfigurationFile } from "../../../src/model/transfer/configuration-schema.ts";

const object = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }, requiredKeys?: (keyof T)[]) =>
  fc.record(model, { noNullPrototype: true, ...(requiredKeys && { requiredKeys }) });
const optional = <T>(name: string, value: fc.Arbitrary<T>) =>
  fc.option(value).map((chosen) => (chosen === null ? {} : { [name]: chosen }));
const merge = (...parts: fc.Arbitrary<object>[]) => fc.tuple(...parts).map((all) => Object.assign({}, ...all));

const subset = (items: readonly string[]) => fc.subarray([...items]);
const percentage = fc.integer({ min: 0, max: 100 });
const description = optional("description", fc.constantFrom("What it is about.", "登录页 — 新しい"));
const values = { string: fc.string({ maxLength: 8 }), number: fc.integer(), boolean: fc.boolean() };

/** Keys `v0`…, some of them with ids of their own. */
const variations = fc
  .integer({ min: 2, max: 4 })
  .chain((count) =>
    fc.tuple(
      ...Array.from({ length: count }, (_, index) =>
        merge(
          fc.constant({ key: `v${index}`, name: `Variation ${index}` }),
          description,
          optional("overrides", fc.constant({ text: { value: `other ${index}` } })),
        ),
      ),
    ),
  );

function rollout(
  keys: readonly string[],
  earlier: readonly string[],
  { segments, cohorts }: Readonly<Record<"segments" | "cohorts", readonly string[]>>,
) {
  const weights = fc
    .tuple(fc.constantFrom(...keys), fc.integer({ min: 1, max: 9 }))
    .map(([key, weight]) => ({ [key]: weight }));
  const share = object({ percentage, weights });
  const ids = fc.subarray(["user-1", "user-2", "ユーザー"]);
  const target = merge(
    share,
    fc.constant({ name: "Some of them" }),
    segments.length > 0
      ? fc.oneof(
          fc.constantFrom(...segments).map((segment_id) => ({ segment_id })),
          fc.constant({ conditions: [[{ selector: ["context", "user", "country"], op: "is", values: ["DE"] }]] }),
        )
      : fc.constant({
          conditions: [
            [{ selector: ["context", "user", "cohort_ids"], op: "set does not contain any", values: cohorts }],
          ],
        }),
  );
  return merge(
    optional("bucketing_key", fc.constantFrom("user_id", "device_id")),
    optional("bucketing_salt", fc.constant("salt")),
    optional("sticky_bucketing", fc.boolean()),
    earlier.length > 0
      ? optional(
          "dependencies",
          fc.constantFrom(...earlier).map((key) => ({ [key]: ["v0"] })),
        )
      : fc.constant({}),
    optional("inclusions", object({ v1: object({ user_ids: ids, device_ids: ids }) })),
    optional("targeting", fc.array(target, { maxLength: 2 })),
    optional("all_users", share),
  );
}

interface NamedFlag {
  key: string;
  variations: { key: string }[];
}

type Names = Readonly<Record<"segments" | "cohorts" | "deployments", readonly string[]>>;

function flag(place: number, names: Names): fc.Arbitrary<object> {
  const earlier = Array.from({ length: place }, (_, index) => `flag-${index}`);
  return variations.chain((own) =>
    merge(
      fc.constant({ key: `flag-${place}`, name: `Flag ${place}`, variations: own }),
      description,
      optional("id", fc.constant(`flg_F${place + 1}`)),
      fc.constant({ status: "active" }),
      object({
        parameters: object({ text: values.string.map((value) => ({ type: "string" as const, value: `a${value}` })) }),
      }),
      optional("deployments", subset(names.deployments)),
      optional(
        "rollout",
        rollout(
          own.map(({ key }) => key),
          earlier,
          names,
        ),
      ),
    ),
  );
}

const statuses = ["draft", "active", "paused", "completed", "archived"] as const;

function experiment(place: number, flags: readonly NamedFlag[], segments: readonly string[]): fc.Arbitrary<object> {
  return fc.constantFrom(...flags).chain(({ key, variations: own }) => {
    const [first, second] = own.map((one) => one.key);
    const common = merge(
      fc.constant({ name: `Experiment ${place}`, feature_flag_id: key }),
      description,
      optional("id", fc.constant(`exp_E${place + 1}`)),
      optional("is_stateful", fc.boolean()),
      optional("bucketing_salt", fc.constant("pepper")),
      optional("epoch", fc.integer({ min: 1, max: 9 })),
      fc.constantFrom("device", "user").map((subject) => ({ assignment_config: { subject } })),
      // One flag, one active experiment; and the limit of tests is as high as there are flags.
      fc.constantFrom(...statuses.filter((status) => status !== "active" || place === 0)).map((status) => ({
        status,
        ...(status === "draft" ? {} : { started_at: "2025-01-01T00:00:00.000Z" }),
        ...(status === "completed" ? { ended_at: "2025-01-02T00:00:00.000Z" } : {}),
      })),
    );
    const byShare = percentage.map((weight) => ({
      allocation_strategy: "percentage",
      allocations: [
        { variation_id: first, weight, is_control: true },
        { variation_id: second, weight: 100 - weight },
      ],
    }));
    const ramp = fc.constantFrom({}, { levels: [5, 50, 100], current_level: 5 }, { levels: [10], current_level: 10 });
    if (segments.length === 0) return merge(common, byShare, ramp);
    const bySegment = fc.constantFrom(...segments).map((segment_id) => ({
      allocation_strategy: "segment",
      allocations: [
        { variation_id: second, segment_id, priority: 1 },
        { variation_id: first, is_control: true, is_fallback: true },
      ],
    }));
    return fc.oneof(merge(common, byShare, ramp), merge(common, bySegment));
  });
}

function group(place: number, flags: readonly NamedFlag[]): fc.Arbitrary<object> {
  const common = merge(
    fc.constant({ key: `group-${place}`, name: `Group ${place}` }),
    description,
    optional("bucketing_salt", fc.constant("pepper")),
  );
  const member = flags[place]?.key;
  const members = member === undefined ? [] : [member];
  return fc.oneof(
    merge(
      common,
      percentage.map((share) => ({ type: "holdout", percentage: share, feature_flag_ids: members })),
    ),
    merge(
      common,
      fc.constant({
        type: "mutual_exclusion",
        slots: [
          { percentage: 30, feature_flag_ids: members },
          { percentage: 50, feature_flag_ids: [] },
        ],
      }),
    ),
  );
}

const source = fc.oneof(
  fc.constant({ type: "push" }),
  fc.constantFrom({}, { field: "user" }).map((field) => ({
    type: "url",
    url: "https://data.example.com/cohort",
    format: "ndjson",
    ...field,
  })),
);

const cohort = (place: number) =>
  merge(
    fc.constantFrom("user", "device").map((id_type) => ({ name: `Cohort ${place}`, id_type })),
    description,
    source.map((one) => ({ source: one })),
    optional("id", fc.constant(`coh_C${place + 1}`)),
    optional("refresh_minutes", fc.constant(30)),
  );

const segment = (place: number, cohorts: readonly string[]) =>
  merge(
    fc.constant({ name: `Segment ${place}`, rules: [{ match: { device_type: ["mobile"] } }] }),
    cohorts.length === 0
      ? fc.constant({})
      : optional(
          "rules",
          fc.constantFrom("match", "not_match").map((side) => [{ [side]: { country: ["CH"], cohort: cohorts } }]),
        ),
    description,
    optional("id", fc.constant(`seg_S${place + 1}`)),
  );

const deployment = (place: number) =>
  merge(
    fc.constantFrom("client", "server").map((type) => ({ name: `Deployment ${place}`, type })),
    description,
  );

const upTo = (most: number, of: (place: number) => fc.Arbitrary<object>): fc.Arbitrary<object[]> =>
  fc
    .integer({ min: 0, max: most })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, place) => of(place))));

const namesOf = (items: object[]) => items.map((item) => (item as { name: string }).name);

export const configurations: fc.Arbitrary<ConfigurationFile> = fc
  .tuple(upTo(2, cohort), upTo(2, deployment))
  .chain(([cohorts, deployments]) =>
    upTo(2, (place) => segment(place, namesOf(cohorts))).map((segments) => ({ cohorts, segments, deployments })),
  )
  .chain(({ cohorts, segments, deployments }) => {
    const names = { cohorts: namesOf(cohorts), segments: namesOf(segments), deployments: namesOf(deployments) };
    return upTo(3, (place) => flag(place, names)).chain((feature_flags) => {
      const flags = feature_flags as NamedFlag[];
      return object({
        feature_flags: fc.constant(feature_flags),
        experiments:
          flags.length === 0 ? fc.constant([]) : upTo(3, (place) => experiment(place, flags, namesOf(segments))),
        segments: fc.constant(segments),
        cohorts: fc.constant(cohorts),
        groups: upTo(2, (place) => group(place, flags)),
        deployments: fc.constant(deployments),
      });
    });
  }) as fc.Arbitrary<ConfigurationFile>;
