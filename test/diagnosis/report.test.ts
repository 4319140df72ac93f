import { expect, test } from "vitest";
import { gatherDiagnosis, gatherReport, type Sources } from "../../src/diagnosis/gather.ts";
import { type ReportInput, reportOn } from "../../src/diagnosis/report.ts";
import { strataOf, testSplit, withMore } from "../../src/diagnosis/split.ts";
import { defaultThresholds } from "../../src/model/diagnosis-thresholds.ts";
import { addCounts, noCounts } from "../../src/model/ledger-counts.ts";
import {
  days,
  epoch,
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

const [control, treatment] = [variationId(0), variationId(1)];
const middleMs = startMs + (days / 2) * 86_400_000;

function inputOf(world: World, changes: Partial<ReportInput> = {}): ReportInput {
  const { record, counts } = evidenceOf(world);
  return { record, counts, window: null, nowMs, highest: null, thresholds: defaultThresholds, ...changes };
}

test("counts of each variation are those of its units, and rates are of the assigned", () => {
  const world = healthyWorld({ visitors: 3_000 });
  world.visitors.push({ ...world.visitors[0], method: "inclusion" } as (typeof world.visitors)[0]);
  // An existing session at the provider: no page was shown. One of them logged in on another day.
  const passing = world.visitors.filter(
    ({ variation, exposures }) => variation === treatment && exposures.length === 0,
  );
  for (const visitor of passing) visitor.outcomes = ["p"];
  passing[0]?.outcomes.push("s");
  const report = reportOn(inputOf(world));
  const mine = world.visitors.filter(({ variation, method }) => variation === treatment && method === "auto");
  const exposures = mine.filter((visitor) => visitor.exposures.length > 0).length;
  const logins = mine.filter(({ outcomes }) => outcomes.includes("s")).length;
  const [first, second] = report.variations;
  expect(second).toMatchObject({
    variation_id: treatment,
    name: "Treatment",
    is_control: false,
    share: 0.5,
    assignments: mine.length,
    exposures,
    logins,
    signups: 0,
    pass_throughs: passing.length,
  });
  expect(passing.length).toBeGreaterThan(10);
  expect(second?.rates.exposure.rate).toBe(exposures / mine.length);
  expect(second?.rates.login_after_exposure.rate).toBe(logins / exposures);
  expect(second?.rates.login.low).toBeLessThan(logins / mine.length);
  expect(second?.rates.login.difference).toMatchObject({ low: expect.any(Number), high: expect.any(Number) });
  expect(second?.rates.signup.difference).toBeNull();
  expect(first).toMatchObject({ variation_id: control, is_control: true, rates: { login: { difference: null } } });
  expect(report.excluded).toEqual({ forced: 0, included: 1, sticky: 0, unassigned: 0 });
  expect(report.srm).toMatchObject({ units: 3_000, verdict: "green", sequential: { is_alert: false } });
  expect(report.epochs).toMatchObject([{ epoch: 1, assignments: { [treatment]: mine.length } }]);
  expect(report.warnings).toEqual([]);
  expect(report.detectable.at(-1)).toEqual({ deviation: 0.01, units: 42_687 });
});

test("a change of weights is no mismatch, and each epoch shows its own units", () => {
  const world = healthyWorld();
  reweigh(world, middleMs, [80, 20]);
  const report = reportOn(inputOf(world));
  expect(report.srm).toMatchObject({ verdict: "green", chi_square: { df: 2 }, units: 10_000 });
  expect(report.epochs.map((each) => each.shares?.[treatment])).toEqual([0.5, 0.2]);
});

test("red is what is unlikely and large enough; a trifle of millions is yellow", () => {
  const epochs = [epoch(1, startMs, null, { [control]: 0.5, [treatment]: 0.5 })];
  const verdictOf = (a: number, b: number) => {
    const rows = [
      { epoch: 1, variation_id: control, units: a },
      { epoch: 1, variation_id: treatment, units: b },
    ];
    return testSplit(
      strataOf(rows, epochs, ({ units }) => units),
      defaultThresholds,
    ).verdict;
  };
  expect(verdictOf(600, 400)).toBe("red");
  expect(verdictOf(5_130, 4_870)).toBe("yellow");
  expect(verdictOf(25_020_000, 24_980_000)).toBe("yellow");
  expect(verdictOf(502, 498)).toBe("green");
  expect(verdictOf(90, 5)).toBe("not_enough_data");
  expect(verdictOf(0, 0)).toBe("not_enough_data");
});

test("an epoch that has only begun waits for its units, and takes no verdict from the others", () => {
  const shares = { [control]: 0.5, [treatment]: 0.5 };
  const epochs = [epoch(1, startMs, middleMs, shares), epoch(2, middleMs, null, shares)];
  const rows = [
    { epoch: 1, variation_id: control, units: 700 },
    { epoch: 1, variation_id: treatment, units: 500 },
    { epoch: 2, variation_id: control, units: 3 },
    { epoch: 9, variation_id: control, units: 1_000 },
  ];
  const strata = strataOf(rows, epochs, ({ units }) => units);
  expect(testSplit(strata, defaultThresholds)).toMatchObject({ verdict: "red", chiSquare: { df: 1 }, units: 1_203 });
  expect(withMore(strata, { [control]: 5 }).map(({ counts }) => counts[control])).toEqual([700, 8]);
});

test("what was found once is not taken back: p is the lowest there ever was, of the whole time alone", () => {
  const world = healthyWorld({ visitors: 2_000 });
  const p = (changes: Partial<ReportInput>) => reportOn(inputOf(world, changes)).srm.sequential;
  expect(p({ highest: Math.log(200) })).toMatchObject({ p: expect.closeTo(1 / 200, 12), is_alert: true });
  expect(p({ highest: Math.log(50) })).toMatchObject({ p: expect.closeTo(1 / 50, 12), is_alert: false });
  expect(p({ highest: Math.log(200), window: { from: iso(startMs) } }).p).toBeGreaterThan(0.5);
});

test("with too little to say anything, it says so", () => {
  const report = reportOn(inputOf(healthyWorld({ visitors: 30 })));
  expect(report.srm.verdict).toBe("not_enough_data");
  expect(report.warnings).toHaveLength(2);
  const nothing = reportOn(inputOf(healthyWorld({ visitors: 0 })));
  expect(nothing.variations).toMatchObject([{ assignments: 0, rates: { login: { rate: null } } }, { assignments: 0 }]);
  const blind = reportOn(inputOf(healthyWorld({ visitors: 30 }), { counts: null }));
  expect(blind.warnings[0]).toContain("ledger cannot be reached");
});

test("segments have no ratio, and what nobody should have got is as unlikely as can be", () => {
  const world = healthyWorld({ visitors: 500 });
  const { experiment } = world.record;
  const segments = { ...world.record, experiment: { ...experiment, allocation_strategy: "segment" as const } };
  expect(reportOn(inputOf({ ...world, record: segments })).srm).toMatchObject({
    verdict: "not_applicable",
    sequential: { is_alert: false },
  });
  const none = { ...world.record, epochs: [epoch(1, startMs, null, { [control]: 1, [treatment]: 0, other: 1 })] };
  const report = reportOn(inputOf({ ...world, record: none }));
  expect(report.srm.chi_square).toMatchObject({ statistic: null, p: 0, log10_p: null });
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

function sourcesOf(world: World, changes: Partial<Sources> = {}): Sources & { looks: object[] } {
  const looks: { logBayesFactor: number }[] = [];
  const none = { total: 0, forced: 0, passed: 0 };
  return {
    looks,
    counts: async (window) => ({ counts: addCounts(shardsOf(world, 2, window ?? null)), shards: 2, answered: 2 }),
    async keepVerdict(look) {
      looks.push(look);
      return { highest: Math.max(...looks.map(({ logBayesFactor }) => logBayesFactor), 3) };
    },
    verdicts: async () => [{ experiment_id: "exp_0", verdict: "green" }],
    entries: async () => ({ warnings: {}, experiments: {}, unassigned: { s: none, ss: none, f: none, fs: none } }),
    cohorts: async () => ({}),
    ...changes,
  };
}

const gone = () => Promise.reject(new Error("gone"));
const question = (world: World, window = {}) => ({ record: world.record, window, nowMs });

test("each look at the whole time is kept; one at a part of it, or of the shards, is not", async () => {
  const world = healthyWorld({ visitors: 1_000 });
  const sources = sourcesOf(world);
  const report = await gatherReport(question(world), sources);
  expect(report.srm.sequential.p).toBeCloseTo(Math.exp(-3), 12);
  expect(sources.looks).toMatchObject([{ verdict: "green", at: iso(nowMs) }]);
  await gatherReport(question(world, { from: "2026-03-05T01:00:00+01:00" }), sources);
  const partly = { counts: async () => ({ counts: noCounts, shards: 3, answered: 2 }) };
  const { partial } = await gatherReport(question(world), sourcesOf(world, partly));
  expect(partial).toMatchObject([{ source: "ledger", detail: expect.stringContaining("1 of 3 shards") }]);
  expect(sources.looks).toHaveLength(1);
});

test("times are compared as times: a window's offset and missing milliseconds do not matter", async () => {
  const world = healthyWorld({ visitors: 1_000 });
  const { window } = await gatherReport(question(world, { from: "2026-03-05T01:00:00+01:00" }), sourcesOf(world));
  expect(window).toEqual({ from: "2026-03-05T00:00:00.000Z" });
});

test("what cannot be reached is named, and the rest is answered", async () => {
  const world = healthyWorld({ visitors: 1_000 });
  const report = await gatherReport(question(world), sourcesOf(world, { keepVerdict: gone }));
  expect(report).toMatchObject({ partial: [{ source: "verdicts" }], srm: { units: 1_000 } });
  const lost = { counts: gone, verdicts: gone, entries: gone, cohorts: gone, keepVerdict: gone };
  const blind = await gatherDiagnosis(question(world), sourcesOf(world, lost));
  expect(blind.partial.map(({ source }) => source).sort()).toEqual(["cohorts", "ledger", "log", "verdicts"]);
  expect(blind.traffic.find(({ id }) => id === "experiment_active")?.status).toBe("pass");
  expect(blind.traffic.find(({ id }) => id === "circuit_closed")?.status).toBe("insufficient_data");
  expect(blind).toMatchObject({ leading: null, verdict: "not_enough_data" });
  expect(await gatherReport(question(world), sourcesOf(world, lost))).toMatchObject({
    partial: [{ source: "ledger" }],
    variations: [{ assignments: 0 }, { assignments: 0 }],
  });
});

test("a diagnosis has the verdict of the report, and knows what was logged lately", async () => {
  const world = healthyWorld({ visitors: 1_000 });
  const asked: string[] = [];
  const sources = sourcesOf(world, {
    async entries({ since }) {
      asked.push(since);
      const none = { total: 0, forced: 0, passed: 0 };
      const warnings = { experiment_circuit_open: asked.length === 2 ? 3 : 0 };
      const s = { total: 20, forced: 3, passed: 4 };
      const own = { s, ss: none, f: { ...none, total: 2 }, fs: none };
      return { warnings, experiments: { exp_1: own }, unassigned: { s: none, ss: none, f: none, fs: none } };
    },
    cohorts: async () => ({ coh_1: { ...cohort, refreshed_at: iso(nowMs - 60_000) } }),
  });
  const diagnosis = await gatherDiagnosis(question(world), sources);
  expect(diagnosis).toMatchObject({ experiment_id: "exp_1", verdict: "green", partial: [] });
  expect(asked).toEqual([iso(nowMs - 3_600_000), iso(nowMs - 24 * 3_600_000)]);
  expect(diagnosis.traffic.find(({ id }) => id === "circuit_closed")?.status).toBe("warn");
  expect(diagnosis.setup.find(({ id }) => id === "cohort_age")?.status).toBe("pass");
  const supported = diagnosis.traffic.find(({ id }) => id === "supported_events");
  expect(supported?.evidence.log_entries).toEqual({ s: 13, ss: 0, f: 2, fs: 0, pass_throughs: 4 });
  expect(supported?.evidence.units_passed_through).toBe(0);
});

const cohort = {
  state: "ok" as const,
  size: 1,
  last_attempt_at: null,
  added: 0,
  removed: 0,
  skipped: 0,
  error: null,
  failures: 0,
  next_attempt_at: null,
};
