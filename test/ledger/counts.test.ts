import { expect, it } from "vitest";
import { type Cell, noCounts } from "../../src/model/ledger-counts.ts";
import { assigned, ended, event, exposed, forced, identified } from "./events.ts";
import { dayMs, hourMs, minuteMs, startMs, withShard } from "./stage.ts";

it("a unit goes through the funnel, and is in each hour and under each attribute once", async () => {
  await withShard(async ({ record, counts, pass }) => {
    record([
      assigned("u1", { segment_id: "seg_m", deployment: "dep_1" }),
      exposed("u1"),
      ended("u1", "f", { atMs: startMs + 5_000 }),
      ended("u1", "s", { atMs: startMs + 65 * minuteMs }),
      exposed("u1", { atMs: startMs + 61 * minuteMs, method: "session" }),
      assigned("u2", { atMs: startMs + 1_000, missing: ["plan"], attributes: { platform: "ios" } }),
      assigned("u3", { variation_id: "var_b", method: "inclusion" }),
    ]);
    pass(2 * hourMs);
    const { cells, attributes, hours, kinds, missing, last_event_at, share } = await counts();
    const [a, b] = cells as [Cell, Cell];
    expect(a).toEqual({
      epoch: 1,
      variation_id: "var_a",
      method: "auto",
      assigned: 2,
      before: 0,
      exposed: 1,
      exposed_edge: 1,
      exposed_custom: 0,
      returning: 1,
      logins: 1,
      signups: 0,
      failures: 1,
      passed: 0,
      settled: 2,
      settled_exposed: 1,
      silent: 1,
      finished: 1,
      finished_unexposed: 0,
      early: 0,
      at_once: 0,
      rehashed: 0,
      jumped: 0,
      jumped_configuration: 0,
      jumped_identity: 0,
      first_assigned_at: "2030-01-01T00:00:00.000Z",
      last_assigned_at: "2030-01-01T00:00:01.000Z",
      first_exposed_at: "2030-01-01T00:00:00.000Z",
      last_exposed_at: "2030-01-01T01:01:00.000Z",
    });
    expect(b).toMatchObject({ variation_id: "var_b", method: "inclusion", assigned: 1, silent: 1 });
    const of = (name: string) =>
      attributes.filter((each) => each.name === name).map(({ value, assigned: n, exposed: x }) => [value, n, x]);
    expect(of("country")).toEqual([
      ["(none)", 1, 0],
      ["CH", 1, 1],
    ]);
    expect(of("bot")).toEqual([
      ["(none)", 1, 0],
      ["false", 1, 1],
    ]);
    expect(of("segment")).toEqual([
      ["(none)", 1, 0],
      ["seg_m", 1, 1],
    ]);
    expect(of("hour")).toEqual([["0", 2, 1]]);
    expect(hours).toEqual([
      {
        hour: "2030-01-01T00:00:00.000Z",
        variation_id: "var_a",
        assigned: 2,
        exposed: 1,
        logins: 0,
        signups: 0,
        failures: 1,
        pass_throughs: 0,
      },
      {
        hour: "2030-01-01T01:00:00.000Z",
        variation_id: "var_a",
        assigned: 0,
        exposed: 0,
        logins: 1,
        signups: 0,
        failures: 0,
        pass_throughs: 0,
      },
    ]);
    expect(missing).toEqual([{ property: "plan", platform: "ios", units: 1 }]);
    expect(kinds).toEqual([
      { type: "assignment", subject_kind: "device", units: 3 },
      { type: "exposure", subject_kind: "device", units: 1 },
    ]);
    expect([last_event_at, share]).toEqual(["2030-01-01T01:05:00.000Z", 1]);
  });
});

it("half an hour settles a unit, by the minute, as of whenever is asked", async () => {
  await withShard(async ({ record, counts, pass, restart }) => {
    const settled = async (asOf?: number) => {
      const [cell] = (await counts(undefined, asOf === undefined ? {} : { asOf })).cells;
      return [cell?.settled, cell?.settled_exposed, cell?.silent];
    };
    record([assigned("u1"), assigned("u2"), exposed("u2"), assigned("u3", { atMs: startMs + 10 * minuteMs })]);
    pass(30 * minuteMs);
    expect(await settled()).toEqual([0, 0, 0]);
    pass(minuteMs);
    expect(await settled()).toEqual([2, 1, 1]);
    record([exposed("u1", { atMs: startMs + 31 * minuteMs })]);
    expect(await settled()).toEqual([2, 2, 0]);
    pass(10 * minuteMs);
    expect(await settled()).toEqual([3, 2, 1]);
    // Past the hour in which minutes are told apart.
    pass(3 * hourMs);
    record([assigned("u4", { atMs: startMs + 221 * minuteMs })]);
    restart();
    expect(await settled()).toEqual([3, 2, 1]);
    expect(await settled(startMs + 31 * minuteMs)).toEqual([2, 2, 0]);
    record([exposed("u3", { atMs: startMs + 12 * minuteMs })]);
    expect(await settled()).toEqual([3, 3, 0]);
  });
});

it("jumping is put down to the configuration, to a person's several devices, or to nothing that is known", async () => {
  await withShard(async ({ record, counts }) => {
    const jump = (unit: string, first: number, second: number) => [
      assigned(unit),
      exposed(unit, { epoch: first }),
      exposed(unit, { epoch: second, variation_id: "var_b", atMs: startMs + 60_000 }),
    ];
    record([
      ...jump("u1", 1, 2),
      ...jump("u2", 1, 1),
      identified("u2", "p1"),
      ...jump("u3", 1, 1),
      assigned("u4"),
      exposed("u4"),
      identified("u4", "p1"),
    ]);
    expect((await counts()).cells[0]).toMatchObject({
      exposed: 4,
      jumped: 3,
      jumped_configuration: 1,
      jumped_identity: 1,
    });
  });
});

it("links tell users by their devices within a week, under the variation of the first", async () => {
  await withShard(async ({ record, counts }) => {
    record([
      identified("d1", "p1", { variation_id: "var_b" }),
      identified("d2", "p1", { atMs: startMs + dayMs }),
      identified("d3", "p1", { atMs: startMs + 7 * dayMs }),
      identified("d1", "p1", { atMs: startMs + 8 * dayMs }),
      identified("d4", "p2"),
      identified("d5", "p2", { atMs: startMs + dayMs }),
      identified("d6", "p2", { atMs: startMs + 7 * dayMs + 1 }),
      identified("d7", "p3"),
      identified("d8", "p3", { atMs: startMs + 8 * dayMs }),
    ]);
    expect((await counts()).links).toEqual([
      { variation_id: "var_a", users: 2, with_two: 1, with_three: 0 },
      { variation_id: "var_b", users: 1, with_two: 1, with_three: 1 },
    ]);
  });
});

it("exposures that clients report by themselves are told apart, and so are those without an assignment", async () => {
  await withShard(async ({ record, counts }) => {
    record([
      assigned("u1"),
      exposed("u1", { source: "ingest", atMs: startMs + 1_000 }),
      assigned("u2"),
      exposed("u2", { source: "ingest", atMs: startMs + 1_001 }),
      exposed("u2"),
      assigned("u3", { atMs: startMs + 1 }),
      exposed("u3"),
      exposed("u4", { source: "ingest" }),
      exposed("u5"),
      exposed("u6", { subject_kind: "user" }),
    ]);
    const { cells, unassigned, kinds } = await counts();
    expect(cells[0]).toMatchObject({ exposed: 3, exposed_edge: 2, exposed_custom: 2, at_once: 1, early: 1 });
    expect(unassigned).toEqual([
      { variation_id: "var_a", source: "gate", units: 2 },
      { variation_id: "var_a", source: "ingest", units: 1 },
    ]);
    expect(kinds).toContainEqual({ type: "exposure", subject_kind: "user", units: 1 });
  });
});

it("a forced unit leaves all statistics that it was in, and is counted as one", async () => {
  await withShard(async ({ record, counts, compare }) => {
    record([assigned("u1"), exposed("u1"), assigned("u2"), identified("u1", "p1")]);
    record([exposed("u1", { method: "forced", atMs: startMs + dayMs })]);
    const sum = await counts();
    expect(sum.cells).toEqual([expect.objectContaining({ assigned: 1, exposed: 0, last_exposed_at: null })]);
    expect(sum).toMatchObject({ forced: 1, hours: [{ assigned: 1, exposed: 0 }] });
    const { running, anew } = compare();
    expect(running).toEqual(anew);
  });
});

it("a unit that was only forced shows nowhere; one that was assigned or exposed as well leaves every rate", async () => {
  const genuine = [
    assigned("u1"),
    exposed("u1"),
    ended("u1", "s"),
    assigned("u2"),
    exposed("u3"),
    assigned("u4"),
    exposed("u4"),
    ended("u4", "p"),
  ];
  const later = startMs + dayMs;
  const forcedOnes = [
    ...["u1", "u2", "u3", "only"].map((unit) => forced(unit, { atMs: later })),
    forced("only", { variation_id: "var_b", epoch: 2, atMs: later }),
  ];
  await withShard(async ({ record, counts }) => {
    record(forcedOnes);
    expect(await counts()).toEqual(noCounts);
  });
  for (const events of [
    [...genuine, ...forcedOnes],
    [...forcedOnes, ...genuine],
  ]) {
    await withShard(async ({ record, counts, compare, pass }) => {
      for (const each of events) record([each]);
      pass(2 * dayMs);
      const { cells, hours, kinds, attributes, ...sum } = await counts();
      expect(sum).toMatchObject({ forced: 3, unassigned: [], links: [], missing: [], examples: null });
      expect(sum.last_event_at).toBe("2030-01-01T00:00:00.000Z");
      expect(cells).toEqual([
        expect.objectContaining({ variation_id: "var_a", assigned: 1, exposed: 1, logins: 0, passed: 1 }),
      ]);
      expect(hours).toEqual([expect.objectContaining({ assigned: 1, exposed: 1, logins: 0, pass_throughs: 1 })]);
      expect(kinds.map(({ units }) => units)).toEqual([1, 1]);
      expect(attributes.every(({ assigned: n }) => n === 1)).toBe(true);
      const { running, anew } = compare();
      expect(running).toEqual(anew);
      const ofLater = await counts(undefined, { from: later });
      expect(ofLater).toMatchObject({ cells: [], hours: [], forced: 0 });
    });
  }
});

it("a pass-through is an ended login without a page: no login, not silent, and no exposure is missing", async () => {
  await withShard(async ({ record, counts, pass }) => {
    record([
      ...["seen", "passed", "both", "silent"].map((unit) => assigned(unit)),
      exposed("seen"),
      ended("seen", "s"),
      ended("passed", "p"),
      ended("passed", "p", { atMs: startMs + hourMs }),
      ended("both", "p"),
      ended("both", "s", { atMs: startMs + hourMs }),
    ]);
    pass(2 * hourMs);
    const { cells, hours, examples } = await counts();
    expect(cells).toMatchObject([
      { assigned: 4, exposed: 1, logins: 2, passed: 2, settled: 4, silent: 1, finished: 2, finished_unexposed: 1 },
    ]);
    expect(hours).toMatchObject([
      { hour: "2030-01-01T00:00:00.000Z", logins: 1, pass_throughs: 2 },
      { hour: "2030-01-01T01:00:00.000Z", logins: 1, pass_throughs: 0 },
    ]);
    // "both" did see a page, of which nobody told; "passed" never did.
    expect(examples).toBeNull();
    record([assigned("lost"), ended("lost", "s")]);
    expect((await counts()).examples).toEqual({ exposed: "seen", unexposed: "lost", events: "var_a s" });
    const lastHour = await counts(undefined, { from: startMs + hourMs });
    expect(lastHour.cells).toEqual([]);
  });
});

it("what was stored before forced visits had events of their own keeps the time of its last event", async () => {
  await withShard(async ({ record, counts, restart, storage }) => {
    record([assigned("u1")]);
    storage.sql.exec("ALTER TABLE experiment DROP COLUMN last_counted_at");
    storage.sql.exec("UPDATE fact SET value = '1' WHERE name = 'schema'");
    restart();
    expect((await counts()).last_event_at).toBe("2030-01-01T00:00:00.000Z");
    record([forced("u1", { atMs: startMs + dayMs })]);
    expect(await counts()).toMatchObject({ forced: 1, cells: [], last_event_at: "2030-01-01T00:00:00.000Z" });
  });
});

it("a window counts who was seen in it, and what happened in it", async () => {
  await withShard(async ({ record, counts }) => {
    const at = (hours: number) => ({ atMs: startMs + hours * hourMs });
    record([
      assigned("early"),
      exposed("early"),
      ended("early", "s", at(1)),
      assigned("back"),
      exposed("back"),
      exposed("back", at(5)),
      ended("back", "s", at(5)),
      assigned("new", at(4)),
      exposed("new", at(5)),
      assigned("late", at(9)),
      exposed("late", at(9)),
    ]);
    const of = async (from?: number, to?: number) => {
      const window = {
        ...(from === undefined ? {} : { from: startMs + from * hourMs }),
        ...(to === undefined ? {} : { to: startMs + to * hourMs }),
      };
      const [cell] = (await counts(undefined, window)).cells;
      return [cell?.assigned, cell?.before, cell?.exposed, cell?.logins, cell?.last_assigned_at?.slice(11, 13)];
    };
    expect(await of()).toEqual([4, 0, 4, 2, "09"]);
    expect(await of(3, 8)).toEqual([2, 1, 2, 1, "04"]);
    expect(await of(3)).toEqual([3, 1, 3, 1, "09"]);
    // Up to a moment, without it.
    expect(await of(undefined, 5)).toEqual([3, 0, 2, 1, "04"]);
    expect((await counts(undefined, { from: startMs + 3 * hourMs })).hours.map(({ assigned: n }) => n)).toEqual([
      1, 0, 1,
    ]);
  });
});

it("times of a cell shrink when the unit that they came from has moved", async () => {
  await withShard(async ({ record, counts }) => {
    record([assigned("u1", { atMs: startMs + hourMs }), assigned("u2"), exposed("u1", { atMs: startMs + 2 * hourMs })]);
    expect((await counts()).cells[0]).toMatchObject({ last_assigned_at: "2030-01-01T01:00:00.000Z" });
    record([assigned("u1", { variation_id: "var_b", atMs: startMs + minuteMs })]);
    const times = (cell: Cell | undefined) => [cell?.first_assigned_at, cell?.last_assigned_at, cell?.last_exposed_at];
    const [a, b] = (await counts()).cells;
    expect(times(a)).toEqual(["2030-01-01T00:00:00.000Z", "2030-01-01T00:00:00.000Z", null]);
    expect(times(b)).toEqual(["2030-01-01T00:01:00.000Z", "2030-01-01T00:01:00.000Z", "2030-01-01T02:00:00.000Z"]);
  });
});

it("two units that went the same way show what an exposure is missing from", async () => {
  await withShard(async ({ record, counts }) => {
    record([assigned("u1"), exposed("u1"), ended("u1", "s"), assigned("u2"), ended("u2", "f")]);
    expect((await counts()).examples).toBeNull();
    record([assigned("u3"), ended("u3", "s")]);
    expect((await counts()).examples).toEqual({ exposed: "u1", unexposed: "u3", events: "var_a s" });
    record([exposed("u3")]);
    expect((await counts()).examples).toBeNull();
  });
});

it("values that somebody makes up fill no memory", async () => {
  await withShard(async ({ record, counts, compare }) => {
    const made = Array.from({ length: 150 }, (_, n) =>
      assigned(`u${n}`, { attributes: { app_version: `${n}\t`.repeat(90) } }),
    );
    record(made);
    record(made.map((each) => exposed(each.unit)));
    const versions = (await counts()).attributes.filter(({ name }) => name === "app_version");
    expect(versions).toHaveLength(101);
    expect(versions.find(({ value }) => value === "(other)")).toMatchObject({ assigned: 50, exposed: 50 });
    expect(Math.max(...versions.map(({ value }) => value.length))).toBeLessThanOrEqual(64);
    record(made.slice(0, 100).map((each) => event({ unit: each.unit, method: "forced", type: "exposure" })));
    const rest = (await counts()).attributes.filter(({ name }) => name === "app_version");
    expect(rest.map(({ value, assigned: n }) => [value, n])).toEqual([["(other)", 50]]);
    expect(Object.keys(compare().running as object)).not.toEqual([]);
  });
});
