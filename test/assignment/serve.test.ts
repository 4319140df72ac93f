import { describe, expect, it } from "vitest";
import { type ServeInput, serve, servesByCohorts } from "../../src/assignment/serve.ts";
import { buildSnapshot } from "../../src/model/compile/build-snapshot.ts";
import type { Resources } from "../../src/model/resources.ts";
import type { CohortIndex, Snapshot } from "../../src/model/snapshot.ts";
import { compileSnapshot } from "../../src/snapshot/compiled.ts";
import { cohort, experiment, flag, resources, segment, variation, variations } from "../model/resources.ts";

const rolledOut = flag({
  id: "flg_Rolled",
  key: "rolled",
  name: "Rolled",
  rollout: { all_users: { percentage: 100, weights: { on: 1 } } },
});
const of: Partial<Resources> = {
  feature_flags: [flag(), rolledOut],
  variations: [...variations, ...["on", "other"].map((key) => variation(key, { feature_flag_id: "flg_Rolled" }))],
};
const index = (ready: string[]): CohortIndex => ({
  bits: 0,
  generations: [1],
  ready: Object.fromEntries(
    ready.map((id) => [id, { id_type: "user", size: 1, refreshed_at: "2025-01-31T12:00:00.000Z" }]),
  ),
});

function snapshotOf(
  changes: Partial<Resources> = {},
  { cohorts, break: breaks }: { cohorts?: CohortIndex; break?: string } = {},
) {
  const options = { tenant: "acme", version: 7, publishedAt: "2025-01-31T12:00:00.000Z", cohorts };
  const snapshot: Snapshot = buildSnapshot(resources({ ...of, ...changes }), options);
  const flags = snapshot.flags.map((each) => (each.key === breaks ? { ...each, segments: "none" } : each));
  return compileSnapshot(JSON.stringify({ ...snapshot, flags }), "acme");
}

const running = snapshotOf();
const ask = (changes: Partial<ServeInput> = {}) =>
  serve({
    snapshot: running,
    flagKeys: ["page", "rolled"],
    user: { device_id: "device-1", user_id: "user-1" },
    override: null,
    ...changes,
  });

describe("serve", () => {
  it("gives experiments with their assignment, and rolled-out flags without", () => {
    const { flags, withheld, warnings } = ask();
    expect(
      flags.map(({ key, variant, experiment, assignment }) => [key, variant.key, experiment?.id, assignment?.method]),
    ).toEqual([
      ["page", flags[0]?.assignment?.variation.key, "exp_Page", "auto"],
      ["rolled", "on", undefined, undefined],
    ]);
    expect([withheld.size, warnings]).toEqual([0, []]);
  });

  it("gives what is asked for, in its order, once, and nothing of what is unknown", () => {
    expect(ask({ flagKeys: ["rolled", "none", "__proto__", "page", "rolled"] }).flags.map(({ key }) => key)).toEqual([
      "rolled",
      "page",
    ]);
    expect(ask({ flagKeys: [] }).flags).toEqual([]);
  });

  it("has no assignment for who takes no part", () => {
    const [served] = ask({ user: {} }).flags;
    expect([served?.variant.key, served?.experiment?.id, served?.assignment]).toEqual(["off", "exp_Page", null]);
  });

  it.each(["draft", "active", "paused", "completed", "archived"] as const)(
    "forces a variation of a %s one",
    (status) => {
      const override = { experimentId: "exp_Page", variationId: "var_c", segmentId: null };
      const { flags } = ask({ snapshot: snapshotOf({ experiments: [experiment({ status })] }), override });
      expect(flags[0]?.variant).toMatchObject({
        key: "c",
        payload: { title: "Hello" },
        metadata: { experimentKey: "exp_Page", segmentName: "forced", trackExposure: false },
      });
      expect(flags[0]?.assignment?.method).toBe("forced");
      // Only where the flag may be given.
      expect(ask({ override, flagKeys: ["rolled"] }).flags.map(({ key }) => key)).toEqual(["rolled"]);
    },
  );

  it("warns of an override that cannot be, and gives what it gives without", () => {
    const override = { experimentId: "exp_None", variationId: "var_c", segmentId: null };
    expect(ask({ override })).toEqual({ ...ask(), warnings: ["experiment_not_found"] });
  });

  it("guesses no cohort", () => {
    const changes = {
      cohorts: [cohort("A")],
      segments: [segment("members", [{ match: { cohort: ["coh_A"] } }])],
      experiments: [
        experiment({
          allocation_strategy: "segment",
          allocations: [
            { variation_id: "var_a", segment_id: "seg_members", priority: 1, is_control: true },
            { variation_id: "var_b", is_control: false, is_fallback: true },
          ],
        }),
      ],
    };
    const snapshot = snapshotOf(changes, { cohorts: index(["coh_A"]) });
    const given = (cohortIds: ServeInput["cohortIds"]) => {
      const { flags, withheld } = ask({ snapshot, ...(cohortIds === undefined ? {} : { cohortIds }) });
      return [flags.map(({ key, variant }) => `${key} ${variant.key}`), [...withheld]];
    };
    expect(given(["coh_A"])).toEqual([["page a", "rolled on"], []]);
    expect(given([])).toEqual([["page b", "rolled on"], []]);
    for (const unknown of [null, undefined]) {
      expect(given(unknown)).toEqual([["rolled on"], [["page", "cohort_unavailable"]]]);
    }
    expect(servesByCohorts({ snapshot, flagKeys: ["page"] })).toBe(true);
    expect(servesByCohorts({ snapshot, flagKeys: ["rolled"] })).toBe(false);
    const unready = snapshotOf(changes, { cohorts: index([]) });
    expect(servesByCohorts({ snapshot: unready, flagKeys: ["page"] })).toBe(false);
    expect([...ask({ snapshot: unready, cohortIds: [] }).withheld]).toEqual([["page", "cohort_unavailable"]]);
  });

  it("leaves a broken flag out, and gives the others", () => {
    const { flags, withheld } = ask({ snapshot: snapshotOf({}, { break: "page" }) });
    expect(flags.map(({ key }) => key)).toEqual(["rolled"]);
    expect([...withheld]).toEqual([["page", "flag_broken"]]);
  });
});
