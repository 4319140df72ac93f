import { describe, expect, it } from "vitest";
import { decide, needsCohorts, type Override, type ReviewInput, reviewSession } from "../../src/assignment/decide.ts";
import type { DecisionSubject, Pin } from "../../src/assignment/evaluation.ts";
import { buildSnapshot } from "../../src/model/compile/build-snapshot.ts";
import type { Resources } from "../../src/model/resources.ts";
import type { Segment } from "../../src/model/segment.ts";
import type { CohortIndex } from "../../src/model/snapshot.ts";
import { compileSnapshot } from "../../src/snapshot/compiled.ts";
import { cohort, experiment, flag, holdout, resources, segment, share, variations } from "../model/resources.ts";

const published = { tenant: "acme", version: 1, publishedAt: "2025-01-31T12:00:00.000Z" };
const snapshotOf = (of: Partial<Resources>) =>
  compileSnapshot(JSON.stringify(buildSnapshot(resources(of), published)), "acme");
const running = snapshotOf({});
const paused = snapshotOf({ experiments: [experiment({ status: "paused" })] });

type Input = ReviewInput & Omit<DecisionSubject, "sticky"> & { sticky: ReadonlyMap<string, string> };

/** A page of the authentication flow; a session has decided that flow before, unless a test says otherwise. */
const inputOf = (changes: Partial<Input>): Input => ({
  snapshot: running,
  pins: undefined,
  decided: changes.pins === undefined ? [] : ["authentication.device", "authentication.user"],
  flow: "authentication",
  startsLogin: false,
  isForced: changes.pins?.some(({ method }) => method === "forced") ?? false,
  override: null,
  deviceId: "device-1",
  userId: null,
  sticky: new Map(),
  attributes: () => ({}),
  ...changes,
});
const subjectOf = ({ sticky, ...subject }: Input): DecisionSubject => ({
  ...subject,
  sticky: (_, key) => sticky.get(key),
});
const ask = (changes: Partial<Input> = {}) => {
  const input = inputOf(changes);
  return decide(reviewSession(input), subjectOf(input));
};
const pin = (changes: Partial<Pin> = {}): Pin => ({
  experimentId: "exp_Page",
  variationId: "var_b",
  method: "auto",
  epoch: 1,
  ...changes,
});
const force = (changes: Partial<Override> = {}): Override => ({
  experimentId: "exp_Page",
  variationId: "var_c",
  segmentId: null,
  ...changes,
});
const said = ({ assignments }: ReturnType<typeof ask>) =>
  assignments.map(({ variation, method, control }) => `${method} ${variation.id}${control ? " control" : ""}`);

describe("a new visitor", () => {
  it("gets the same variation for the same device, and both are given", () => {
    const given = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const first = said(ask({ deviceId: `device-${i}` }));
      expect(said(ask({ deviceId: `device-${i}` }))).toEqual(first);
      given.add(String(first));
    }
    expect([...given].sort()).toEqual(["auto var_a control", "auto var_b"]);
  });

  it("without a device, or who may not be assigned, gets nothing", () => {
    expect(ask({ deviceId: null }).assignments).toEqual([]);
    expect(ask({ flow: null })).toMatchObject({ assignments: [], pins: undefined });
    expect(ask({ snapshot: paused }).assignments).toEqual([]);
  });

  it("outside the share that takes part is remembered as such", () => {
    const none = snapshotOf({ experiments: [experiment({ levels: [0], current_level: 0 })] });
    const decision = ask({ snapshot: none });
    expect(decision).toMatchObject({ assignments: [], added: [], pins: [{ variationId: null }] });
  });
});

describe("a session", () => {
  it("keeps its variation although the experiment is paused", () => {
    expect(said(ask({ snapshot: paused, pins: [pin()] }))).toEqual(["session var_b"]);
  });

  it("that decided against an experiment stays out of it", () => {
    const decision = ask({ pins: [pin({ variationId: null })], startsLogin: true });
    expect(decision).toMatchObject({ assignments: [], added: [] });
  });

  it("is asked anew about nothing before the next log-in begins", () => {
    expect(ask({ pins: [] }).assignments).toEqual([]);
    expect(ask({ pins: [], startsLogin: true }).added).toHaveLength(1);
  });

  it.each([
    ["an experiment", { experimentId: "exp_New" }],
    ["a variation", { variationId: "var_new" }],
  ])("keeps the pin of %s that this isolate has not heard of yet", (_, changes) => {
    const newer = pin(changes);
    const decision = ask({ pins: [newer] });
    expect(decision.pins).toEqual([newer]);
    expect(decision.assignments).toEqual([]);
  });
});

describe("overrides", () => {
  it.each(["draft", "active", "paused", "completed", "archived"] as const)(
    "force a variation of a %s one",
    (status) => {
      const decision = ask({ snapshot: snapshotOf({ experiments: [experiment({ status })] }), override: force() });
      expect(said(decision)).toEqual(["forced var_c"]);
      expect(decision.added).toEqual([]);
    },
  );

  it.each([
    [{ experimentId: "exp_None" }, "experiment_not_found"],
    [{ experimentId: "__proto__" }, "experiment_not_found"],
    [{ experimentId: "constructor", variationId: "constructor" }, "experiment_not_found"],
    [{ experimentId: null }, "experiment_orphaned_params"],
    [{ variationId: "var_Foreign" }, "experiment_variation_not_found"],
    [{ variationId: "__proto__" }, "experiment_variation_not_found"],
    [{ variationId: null }, "experiment_variation_missing"],
    [{ segmentId: "hasOwnProperty" }, "experiment_segment_not_found"],
  ])("%j: warn and assign as ever", (changes, warning) => {
    const decision = ask({ override: force(changes) });
    expect(decision.warnings).toEqual([warning]);
    expect(said(decision)).toEqual(said(ask()));
  });

  it("end when a log-in begins without one, or with an empty id", () => {
    const pins = [pin({ method: "forced", variationId: "var_c" })];
    expect(said(ask({ pins }))).toEqual(["forced var_c"]);
    expect(said(ask({ pins, startsLogin: true }))).toEqual(said(ask()));
    expect(said(ask({ pins, override: force({ experimentId: "", variationId: null }) }))).toEqual(said(ask()));
  });
});

it("takes the method from the gate's own segments, not from what a tenant calls its own", () => {
  for (const name of ["sticky-bucketing", "individual-inclusions", "constructor", "toString", "__proto__"]) {
    const snapshot = snapshotOf({
      segments: [segment("Any", [{ match: { country: ["NZ"] } }], { name })],
      experiments: [
        experiment({
          allocation_strategy: "segment",
          allocations: [
            { variation_id: "var_b", is_control: false, segment_id: "seg_Any", priority: 1 },
            { variation_id: "var_a", is_control: true, is_fallback: true },
          ],
        }),
      ],
    });
    expect(said(ask({ snapshot, attributes: () => ({ country: "NZ" }) }))).toEqual(["auto var_b"]);
  }
});

it("lets the flag speak for the experiment that it was compiled for, not for another on it", () => {
  const other = experiment({ id: "exp_Other", name: "Other", allocations: [share("a", 50, true), share("c", 50)] });
  const both = snapshotOf({ feature_flags: [flag()], variations, experiments: [experiment(), other] });
  expect(ask({ snapshot: both }).assignments.map(({ experiment: { id } }) => id)).toEqual(["exp_Page"]);
});

it("gives each subject its own experiments", () => {
  const user = experiment({ assignment_config: { subject: "user" } });
  const snapshot = snapshotOf({ experiments: [user] });
  expect(ask({ snapshot }).assignments).toEqual([]);
  expect(ask({ snapshot, userId: "user-1" }).assignments).toHaveLength(1);
});

describe("who is held out", () => {
  const heldOut = { snapshot: snapshotOf({ groups: [holdout({ percentage: 100 })] }) };

  it("takes no part, and is remembered as such", () => {
    expect(ask(heldOut)).toMatchObject({ assignments: [], pins: [{ experimentId: "exp_Page", variationId: null }] });
  });

  it("may still be forced", () => {
    expect(said(ask({ ...heldOut, override: force() }))).toEqual(["forced var_c"]);
  });

  it("keeps what the session already shows", () => {
    expect(said(ask({ ...heldOut, pins: [pin()] }))).toEqual(["session var_b"]);
  });
});

describe("an experiment on cohorts", () => {
  const ready = { coh_A: { id_type: "device" as const, size: 1, refreshed_at: "2025-01-31T12:00:00.000Z" } };
  const onCohort = (rules: Segment["rules"], cohorts: CohortIndex["ready"] = ready) => {
    const of = resources({
      segments: [segment("A", rules)],
      experiments: [
        experiment({
          allocation_strategy: "segment",
          allocations: [
            { variation_id: "var_b", is_control: false, segment_id: "seg_A", priority: 1 },
            { variation_id: "var_a", is_control: true, is_fallback: true },
          ],
        }),
      ],
      cohorts: [cohort("A")],
    });
    const index = { bits: 0, generations: [1], ready: cohorts };
    return compileSnapshot(JSON.stringify(buildSnapshot(of, { ...published, cohorts: index })), "acme");
  };
  const members = onCohort([{ match: { cohort: ["coh_A"] } }]);
  const others = onCohort([{ not_match: { cohort: ["coh_A"] } }]);

  it.each([
    ["members", members, ["coh_A"], "var_b"],
    ["members", members, [], "var_a"],
    ["others", others, ["coh_A"], "var_a"],
    ["others", others, [], "var_b"],
    ["others", others, ["coh_X"], "var_b"],
  ])("for %s", (_, snapshot, cohortIds, expected) => {
    const decision = ask({ snapshot, cohortIds });
    expect(said(decision)[0]).toContain(expected);
    expect(decision.withheld).toEqual([]);
  });

  it.each([
    ["is not told", members, null],
    ["was never asked for", others, undefined],
    ["is told, of other cohorts only", onCohort([{ not_match: { cohort: ["coh_A"] } }], {}), []],
  ])("takes no part in the session where membership %s", (_, snapshot, cohortIds) => {
    const decision = ask({ snapshot, ...(cohortIds === undefined ? {} : { cohortIds }) });
    expect(decision).toMatchObject({ assignments: [], added: [], pins: [{ variationId: null }] });
    expect(decision.withheld.map(({ id }) => id)).toEqual(["exp_Page"]);
    const next = ask({ snapshot: members, cohortIds: ["coh_A"], pins: decision.pins, startsLogin: true });
    expect(next).toMatchObject({ assignments: [], withheld: [] });
  });

  it("asks for it where that decides something, and nowhere else", () => {
    const asks = (changes: Partial<Input>) => {
      const input = inputOf({ snapshot: members, ...changes });
      return needsCohorts(reviewSession(input), subjectOf(input));
    };
    expect(asks({})).toBe(true);
    expect(asks({ startsLogin: true, pins: [] })).toBe(true);
    expect(asks({ startsLogin: true, pins: [pin({ method: "forced" })] })).toBe(true);
    expect(asks({ pins: [pin({ method: "forced" })], override: force({ experimentId: "", variationId: null }) })).toBe(
      true,
    );
    expect(asks({ override: force({ experimentId: "exp_None" }) })).toBe(true);
    expect(asks({ override: force() })).toBe(false);
    expect(asks({ pins: [] })).toBe(false);
    expect(asks({ pins: [pin()], startsLogin: true })).toBe(false);
    expect(asks({ flow: null })).toBe(false);
    expect(asks({ deviceId: null })).toBe(false);
    expect(asks({ snapshot: running })).toBe(false);
    expect(asks({ snapshot: onCohort([{ match: { cohort: ["coh_A"] } }], {}) })).toBe(false);
  });
});

describe("what the statistics are told of a new assignment", () => {
  it("is what the hash alone gives, where an earlier choice was kept and is another", () => {
    const sticky = snapshotOf({ experiments: [experiment({ is_stateful: true })] });
    const notes = ["var_a", "var_b", "var_c"].map((kept) => {
      const [added] = ask({ snapshot: sticky, sticky: new Map([["exp_Page", kept]]) }).added;
      return [added?.variation.id, added?.method, added?.hashedVariationId];
    });
    const [hashed] = ask({ snapshot: sticky }).added;
    expect(notes).toEqual(
      ["var_a", "var_b", "var_c"].map((kept) => [
        kept,
        "sticky",
        kept === hashed?.variation.id ? undefined : hashed?.variation.id,
      ]),
    );
    const nobody = snapshotOf({ experiments: [experiment({ is_stateful: true, levels: [0], current_level: 0 })] });
    const [kept] = ask({ snapshot: nobody, sticky: new Map([["exp_Page", "var_b"]]) }).added;
    expect(kept).toMatchObject({ method: "sticky", hashedVariationId: null });
    expect(hashed).not.toHaveProperty("hashedVariationId");
  });

  it("is which properties the rules asked for in vain", () => {
    const swiss = segment("swiss", [{ match: { country: ["CH"], client_id: ["app"] } }]);
    const targeted = snapshotOf({
      segments: [swiss],
      experiments: [
        experiment({
          allocation_strategy: "segment",
          allocations: [
            { variation_id: "var_a", segment_id: "seg_swiss", priority: 1, is_control: true },
            { variation_id: "var_b", is_control: false, is_fallback: true },
          ],
        }),
      ],
    });
    const missing = (attributes: Record<string, unknown>) =>
      ask({ snapshot: targeted, attributes: () => attributes }).added.map((added) => [
        added.segmentId,
        [...(added.missing ?? [])].sort(),
      ]);
    expect(missing({ country: "CH", client_id: "app" })).toEqual([["seg_swiss", []]]);
    expect(missing({ country: "CH" })).toEqual([[undefined, ["client_id"]]]);
    expect(missing({})).toEqual([[undefined, ["client_id", "country"]]]);
  });
});
