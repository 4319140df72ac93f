import { env as bindings } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type LogBindings, logbookOf, recordEntries } from "../../src/logs/record.ts";
import { startMs } from "../alarms/held-object.ts";
import { entry, experiment, warning } from "./entry.ts";
import { dayMs, minuteMs, withStage } from "./stage.ts";

const iso = (ms: number) => new Date(ms).toISOString();

describe("entries", () => {
  it("are kept in the order in which they came, each once, however often they come", () =>
    withStage(async ({ keeper, held, restart }) => {
      const [a, b, c, d] = [entry(), entry(), entry(), entry()] as const;
      keeper.record([a, b]);
      keeper.record([b, a, c, c]);
      await restart();
      keeper.record([d, a]);
      expect(held()).toEqual([a, b, c, d].map(({ log_id }) => log_id));
    }));

  it("are kept all or not at all", () =>
    withStage(async ({ keeper, held }) => {
      keeper.record([entry({ log_id: "before" })]);
      const broken = {
        ...entry(),
        description: {
          toJSON: () => {
            throw new Error("no");
          },
        },
      } as never;
      expect(() => keeper.record([entry(), broken])).toThrow();
      expect(held()).toEqual(["before"]);
    }));

  it("are kept where one of them has a date that is none", () =>
    withStage(async ({ keeper, held }) => {
      keeper.record([entry({ log_id: "a" }), entry({ log_id: "b", date: "yesterday" }), entry({ log_id: "c" })]);
      expect(held()).toEqual(["a", "b", "c"]);
      const byDate = { by: "page", page: 0, perPage: 9, newestFirst: false, hasTotal: false } as const;
      expect(await keeper.find(byDate)).toMatchObject({ entries: [{ log_id: "a" }, { log_id: "b" }, { log_id: "c" }] });
    }));

  it("go when they are older than the log is kept, by their date", () =>
    withStage(
      async ({ keeper, held, pass, restart }) => {
        keeper.record([
          entry({ log_id: "late", date: iso(startMs - 2 * dayMs) }),
          entry({ log_id: "new" }),
          entry({ log_id: "too old", date: iso(startMs - 3 * dayMs - 1) }),
        ]);
        expect(held()).toEqual(["late", "new"]);
        await pass(dayMs - minuteMs);
        expect(held()).toEqual(["late", "new"]);
        await pass(12 * minuteMs);
        expect(held()).toEqual(["new"]);
        await restart();
        await pass(3 * dayMs);
        expect(held()).toEqual([]);
      },
      { limits: { retentionMs: 3 * dayMs } },
    ));

  it("go when all of them take too much room, those that came first before others", () =>
    withStage(
      async ({ keeper, held, storage }) => {
        const all: string[] = [];
        for (let batch = 0; batch < 60; batch++) {
          const entries = Array.from({ length: 100 }, () => entry({ description: "x".repeat(500) }));
          all.push(...entries.map(({ log_id }) => log_id));
          keeper.record(entries);
          expect(storage.sql.databaseSize).toBeLessThanOrEqual(2 * 1024 ** 2);
        }
        expect(held().length).toBeGreaterThan(500);
        expect(held().length).toBeLessThan(all.length);
        expect(held()).toEqual(all.slice(-held().length));
      },
      { limits: { bytes: 2 * 1024 ** 2 } },
    ));

  it("of a user are forgotten on request, and nobody else's", () =>
    withStage(async ({ keeper, held }) => {
      const own = Array.from({ length: 2_500 }, () => entry({ user_id: "auth0|anna" }));
      keeper.record([entry({ log_id: "nobody's" }), ...own, entry({ log_id: "bert's", user_id: "auth0|bert" })]);
      expect(keeper.forget("auth0|carl")).toBe(0);
      expect(keeper.forget("auth0|anna")).toBe(2_500);
      expect(held()).toEqual(["nobody's", "bert's"]);
    }));
});

it("counts warnings by code and outcomes by experiment, within a time", () =>
  withStage(async ({ keeper }) => {
    const at = (minutes: number) => iso(startMs + minutes * minuteMs);
    const [a, b] = [experiment("exp_a"), experiment("exp_b", { method: "forced" })];
    keeper.record([
      warning("experiment_not_found", { date: at(-1) }),
      warning("experiment_not_found", { date: at(0) }),
      warning("experiment_not_found", { date: at(9) }),
      warning("cohort_stale", { date: at(10) }),
      entry({ date: at(1), details: { experiment: a } }),
      entry({ date: at(2), details: { experiment: a, experiments: [a, b] } }),
      entry({ date: at(3), type: "fs", details: { experiment: b } }),
      entry({ date: at(4), type: "f" }),
      entry({ date: at(5), details: { failed_open: "session" } }),
      entry({ date: at(6), details: { experiment: a, pass_through: true } }),
      entry({ date: at(7), details: { experiment: b, experiments: [b, a], pass_through: true } }),
      entry({ date: at(8), details: { pass_through: true } }),
    ]);
    const none = { total: 0, forced: 0, passed: 0 };
    const zero = { s: none, ss: none, f: none, fs: none };
    const query = { since: at(0), until: at(10) };
    const all = {
      warnings: { experiment_not_found: 2 },
      experiments: {
        // Nothing counts of a login in which a variation was forced, be it another experiment's.
        exp_a: { ...zero, s: { total: 4, forced: 2, passed: 1 } },
        exp_b: { ...zero, s: { ...none, total: 2, forced: 2 }, fs: { ...none, total: 1, forced: 1 } },
      },
      unassigned: { ...zero, s: { ...none, total: 1, passed: 1 }, f: { ...none, total: 1 } },
      failedOpen: { ...zero, s: { ...none, total: 1 } },
    };
    expect(keeper.count(query)).toEqual(all);
    const { exp_a } = all.experiments;
    expect(keeper.count({ ...query, experimentId: "exp_a" })).toEqual({ ...all, experiments: { exp_a } });
  }));

it("is reached by its tenant's name", async () => {
  const logbooks = bindings as unknown as LogBindings;
  await recordEntries(logbooks, "acme", [entry({ log_id: "1" }), warning("cohort_stale", { user_id: "anna" })]);
  await recordEntries(logbooks, "acme", [entry({ log_id: "1" })]);
  const query = { since: iso(Date.now() - minuteMs), until: iso(Date.now() + minuteMs) };
  expect((await logbookOf(logbooks, "acme").countEntries(query)).unassigned.s.total).toBe(1);
  expect(await logbookOf(logbooks, "acme").forgetSubject({ userId: "anna" })).toEqual({ forgotten: 1 });
  expect(await logbookOf(logbooks, "acme").forgetSubject({})).toEqual({ forgotten: 0 });
  expect((await logbookOf(logbooks, "other").countEntries(query)).unassigned.s.total).toBe(0);
});
