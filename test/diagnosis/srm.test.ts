/** Each cause of a sample ratio mismatch by itself: the diagnosis names it first, and it alone fails. */
import { describe, expect, it, test } from "vitest";
import type { CheckResult } from "../../src/diagnosis/check.ts";
import { type Diagnosis, diagnose } from "../../src/diagnosis/diagnose.ts";
import type { Evidence } from "../../src/diagnosis/scene.ts";
import { total } from "../../src/diagnosis/split.ts";
import { srmChecks } from "../../src/diagnosis/srm/checks.ts";
import { defaultThresholds } from "../../src/model/diagnosis-thresholds.ts";
import { addCounts } from "../../src/model/ledger-counts.ts";
import { createRandom } from "../engine/random.ts";
import {
  days,
  evidenceOf,
  healthyWorld,
  iso,
  nowMs,
  reweigh,
  shardsOf,
  startMs,
  variationId,
  type World,
} from "./world.ts";

const dayMs = 86_400_000;
const [control, treatment] = [variationId(0), variationId(1)];
const middleMs = startMs + (days / 2) * dayMs;

const checksOf = ({ traffic, setup, srm }: Diagnosis): CheckResult[] => [...traffic, ...setup, ...srm];
const failing = (diagnosis: Diagnosis) =>
  checksOf(diagnosis).flatMap(({ id, status }) => (status === "fail" ? id : []));
const diagnosed = (evidence: Evidence) => diagnose(evidence, defaultThresholds);
const found = (diagnosis: Diagnosis, id: string) => checksOf(diagnosis).find((check) => check.id === id) as CheckResult;

/** What is wrong, in a world where all else is well. */
const faults: Record<string, (chance: (share: number) => boolean) => { world: World; window?: Evidence["window"] }> = {
  custom_exposure(chance) {
    // The treatment's page is left before it sends.
    const world = healthyWorld();
    for (const visitor of world.visitors) {
      const own = visitor.exposures.map((exposure) => ({
        ...exposure,
        atMs: exposure.atMs + 5_000,
        source: "ingest" as const,
      }));
      visitor.exposures =
        visitor.variation === treatment && chance(0.15) ? visitor.exposures : [...visitor.exposures, ...own];
    }
    return { world };
  },
  traffic_split_changed() {
    const world = healthyWorld();
    reweigh(world, middleMs, [70, 30]);
    // Who comes back is assigned anew, as nothing is sticky.
    for (const [index, visitor] of world.visitors.entries()) {
      if (visitor.assignedMs < middleMs && index % 8 === 0 && visitor.variation === treatment) {
        visitor.exposures.push({ atMs: middleMs + 1, variation: control, epoch: 2, source: "gate" });
      }
    }
    return { world };
  },
  variation_added() {
    const world = healthyWorld();
    reweigh(world, middleMs, [34, 33, 33]);
    return { world };
  },
  variation_removed() {
    const world = healthyWorld({ weights: [34, 33, 33] });
    reweigh(world, middleMs, [50, 50]);
    return { world };
  },
  sticky_bucketing_toggled(chance) {
    const world = healthyWorld();
    reweigh(world, middleMs, [50, 50]);
    world.record = { ...world.record, sticky_toggles: [{ at: iso(middleMs), is_on: true }] };
    for (const visitor of world.visitors) if (visitor.assignedMs >= middleMs && chance(0.1)) visitor.rehashed = true;
    return { world };
  },
  analysis_window(chance) {
    const world = healthyWorld();
    for (const visitor of world.visitors) {
      const [first] = visitor.exposures;
      if (first !== undefined && visitor.variation === treatment && chance(0.3)) {
        visitor.exposures.push({ ...first, atMs: Math.min(first.atMs + 7 * dayMs, nowMs - 1) });
      }
    }
    return { world, window: { from: iso(middleMs) } };
  },
  individual_inclusions() {
    const world = healthyWorld();
    for (const visitor of world.visitors.slice(0, 600)) {
      visitor.method = "inclusion";
      visitor.variation = treatment;
      visitor.exposures = visitor.exposures.map((exposure) => ({ ...exposure, variation: treatment }));
    }
    return { world };
  },
  fallback_counted() {
    const world = healthyWorld();
    world.unassigned = [{ variation_id: control, source: "ingest", units: 700 }];
    return { world };
  },
  variant_jumping(chance) {
    const world = healthyWorld();
    for (const visitor of world.visitors) {
      const [first] = visitor.exposures;
      const other = visitor.variation === control ? treatment : control;
      if (first !== undefined && chance(0.08))
        visitor.exposures.push({ ...first, atMs: first.atMs + 1000, variation: other });
    }
    return { world };
  },
  login_logout_churn(chance) {
    const world = healthyWorld();
    world.links = [
      { variation_id: control, users: 4000, with_two: 200, with_three: 40 },
      { variation_id: treatment, users: 4000, with_two: 900, with_three: 400 },
    ];
    // Its users come as more devices, each drawn anew, and are seen to have had several variations.
    for (const visitor of world.visitors) {
      const [first] = visitor.exposures;
      if (first === undefined || visitor.variation !== treatment || !chance(0.15)) continue;
      visitor.isLinked = true;
      visitor.exposures.push({ ...first, atMs: first.atMs + 1000, variation: control });
    }
    return { world };
  },
  missing_exposure(chance) {
    const world = healthyWorld();
    for (const visitor of world.visitors) if (visitor.variation === treatment && chance(0.2)) visitor.exposures = [];
    return { world };
  },
  assignment_exposure_funnel(chance) {
    // A slow page: they leave before it is shown, and do not log in.
    const world = healthyWorld();
    for (const visitor of world.visitors) {
      if (visitor.variation !== treatment || !chance(0.1)) continue;
      visitor.exposures = [];
      visitor.outcomes = [];
    }
    return { world };
  },
  platform_source(chance) {
    // One browser loses all events of the treatment's units.
    const world = healthyWorld();
    world.visitors = world.visitors.filter(
      ({ variation, attributes }) => !(variation === treatment && attributes.browser === "safari" && chance(0.4)),
    );
    return { world };
  },
  first_experiment(chance) {
    const world = healthyWorld();
    world.visitors = world.visitors.filter(({ variation }) => variation === control || !chance(0.1));
    world.record = { ...world.record, ended_before: [] };
    return { world };
  },
};

const chanceOf = (seed: number) => {
  const random = createRandom(seed);
  return (share: number) => random(1_000_000) < share * 1_000_000;
};

describe.each(Object.keys(faults))("%s", (id) => {
  const { world, window = null } = (faults[id] as (typeof faults)[string])(chanceOf(99));
  const diagnosis = diagnosed(evidenceOf(world, window));

  it("is named first, and alone fails", () => {
    const words = checksOf(diagnosis).filter(({ status }) => status === "fail" || status === "warn");
    expect(failing(diagnosis), JSON.stringify(words, null, 1)).toEqual([id]);
    expect(diagnosis.leading).toBe(id);
  });

  it("shows its counts, what it went by and what to do", () => {
    const check = found(diagnosis, id);
    expect(check.fix).not.toBe("");
    expect(check.detail).toMatch(/\.$/);
    expect(Object.keys(check.evidence)).not.toHaveLength(0);
    expect(Object.keys(check.threshold)).not.toHaveLength(0);
    expect(JSON.parse(JSON.stringify(check))).toEqual(check);
  });
});

test("every one of the fourteen has its fault here", () => {
  expect(Object.keys(faults).sort()).toEqual(srmChecks.map(({ id }) => id).sort());
  expect(srmChecks).toHaveLength(14);
});

test.each([
  { weights: [50, 50], seed: 11 },
  { weights: [90, 10], seed: 12 },
  { weights: [34, 33, 33], seed: 13 },
])("of a healthy experiment at $weights nothing fails", ({ weights, seed }) => {
  const diagnosis = diagnosed(evidenceOf(healthyWorld({ weights, seed })));
  expect(failing(diagnosis)).toEqual([]);
  expect(diagnosis.leading).toBeNull();
});

test("of one that has changed its weights and is counted by epoch, no split test but that of the totals is off", () => {
  const world = healthyWorld();
  reweigh(world, middleMs, [70, 30]);
  const { evidence } = found(diagnosed(evidenceOf(world)), "traffic_split_changed");
  expect(evidence).toMatchObject({ distinct: 2 });
  const { against_last_weights, by_epoch } = evidence as Record<string, { p: number }>;
  expect(against_last_weights?.p).toBeLessThan(1e-10);
  expect(by_epoch?.p).toBeGreaterThan(0.01);
});

test("logins by a session that the provider already had are no missing exposures and no silent units", () => {
  const chance = chanceOf(8);
  const world = healthyWorld();
  for (const visitor of world.visitors) {
    if (!chance(0.3)) continue;
    visitor.exposures = [];
    visitor.outcomes = ["p"];
  }
  const evidence = evidenceOf(world);
  const diagnosis = diagnosed(evidence);
  expect(failing(diagnosis)).toEqual([]);
  expect(found(diagnosis, "missing_exposure").status).toBe("pass");
  expect(total(evidence.counts?.cells ?? [], ({ passed }) => passed)).toBeGreaterThan(2_500);
});

test("a variation with a weight that gets nobody any more is noticed within the hour", () => {
  const world = healthyWorld();
  const deadMs = nowMs - 3 * 3_600_000;
  world.visitors = world.visitors.filter(({ variation, assignedMs }) => variation === control || assignedMs < deadMs);
  const diagnosis = diagnosed(evidenceOf(world));
  expect(failing(diagnosis)).toEqual(["variation_removed"]);
  expect(found(diagnosis, "variation_removed").detail).toContain('"Treatment" got none of the last');
});

test("two red ones of the last ten are systemic", () => {
  const { world } = (faults.first_experiment as (typeof faults)[string])(chanceOf(5));
  world.record = { ...world.record, ended_before: ["exp_7", "exp_8", "exp_9"].map((id) => ({ id, name: id })) };
  const verdicts = [
    { experiment_id: "exp_7", verdict: "red" as const },
    { experiment_id: "exp_8", verdict: "green" as const },
    { experiment_id: "exp_9", verdict: "red" as const },
  ];
  const diagnosis = diagnosed({ ...evidenceOf(world), verdicts });
  expect(failing(diagnosis)).toEqual(["first_experiment"]);
  expect(found(diagnosis, "first_experiment").detail).toContain("systemic");
});

test("placebo splits tell a variation that causes it from ids that are broken", () => {
  const { world } = (faults.first_experiment as (typeof faults)[string])(chanceOf(5));
  expect(found(diagnosed(evidenceOf(world)), "platform_source").detail).toContain("the variation causes it");
  const random = createRandom(4);
  for (const visitor of world.visitors) if (random(10) === 0) visitor.placebo = [0, visitor.placebo[1]];
  const diagnosis = diagnosed(evidenceOf(world));
  expect(failing(diagnosis)).toEqual(["platform_source"]);
  expect(found(diagnosis, "platform_source").detail).toContain("ids and the pipeline");
});

test("a mismatch that is everywhere is not localised to the group that holds nearly all", () => {
  const { world } = (faults.first_experiment as (typeof faults)[string])(chanceOf(5));
  for (const [index, visitor] of world.visitors.entries()) visitor.attributes.bot = String(index % 100 === 0);
  expect(found(diagnosed(evidenceOf(world)), "platform_source").evidence.localised).toEqual([]);
});

test("what everybody has in common is no group, and a mismatch without any is still everywhere", () => {
  const { world } = (faults.platform_source as (typeof faults)[string])(chanceOf(5));
  for (const visitor of world.visitors) visitor.attributes.sdk = "one for all";
  const { evidence } = found(diagnosed(evidenceOf(world)), "platform_source");
  const named = (evidence.significant as { name: string }[]).map(({ name }) => name);
  expect(named).toContain("browser");
  expect(named).not.toContain("sdk");

  const { world: alike } = (faults.first_experiment as (typeof faults)[string])(chanceOf(5));
  for (const visitor of alike.visitors) visitor.attributes = { sdk: "one for all" };
  const { status, detail } = found(diagnosed(evidenceOf(alike)), "platform_source");
  expect({ status, detail }).toEqual({ status: "warn", detail: expect.stringContaining("the variation causes it") });
});

test("without the ledger every check says so, and none is sure of anything", () => {
  const diagnosis = diagnosed({ ...evidenceOf(healthyWorld({ visitors: 10 })), counts: null, verdicts: null });
  expect(new Set(diagnosis.srm.map(({ status }) => status))).toEqual(new Set(["insufficient_data"]));
});

test("a handful of units is no data, and segments have no ratio", () => {
  const few = healthyWorld({ visitors: 20 });
  expect(failing(diagnosed(evidenceOf(few)))).toEqual([]);
  const { record } = few;
  const experiment = { ...record.experiment, allocation_strategy: "segment" as const };
  const epochs = record.epochs.map((each) => ({ ...each, shares: null }));
  few.record = { ...record, experiment, epochs };
  const applicable = diagnosed(evidenceOf(few)).srm.filter(({ status }) => status !== "not_applicable");
  expect(applicable.map(({ id }) => id)).toEqual(["variant_jumping"]);
});

test("no status hangs on the order of shards, nor on their number", () => {
  for (const id of ["traffic_split_changed", "platform_source", "missing_exposure"]) {
    const { world } = (faults[id] as (typeof faults)[string])(chanceOf(3));
    const evidence = evidenceOf(world);
    const wanted = JSON.stringify(diagnosed(evidence));
    const shards = shardsOf(world, 7);
    expect(JSON.stringify(diagnosed({ ...evidence, counts: addCounts(shards.toReversed()) }))).toBe(wanted);
    expect(JSON.stringify(diagnosed({ ...evidence, counts: addCounts(shards) }))).toBe(wanted);
  }
});
