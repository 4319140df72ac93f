import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EntryStore } from "../../src/logs/entry-store.ts";
import { createFinder, type EntryQuestion, type FoundEntries } from "../../src/logs/find-entries.ts";
import { startMs } from "../alarms/held-object.ts";
import { entry, warning } from "./entry.ts";
import { dayMs, minuteMs, withStage } from "./stage.ts";

const page = (fields: object = {}): EntryQuestion => ({
  by: "page",
  page: 0,
  perPage: 50,
  newestFirst: true,
  hasTotal: false,
  ...fields,
});
const onwards = (from: string | undefined, take: number, q?: string): EntryQuestion => ({
  by: "checkpoint",
  take,
  ...(from === undefined ? {} : { from }),
  ...(q === undefined ? {} : { q }),
});

function idsIn(found: FoundEntries): string[] {
  if (!found.ok) throw new Error(found.reason);
  return found.entries.map(({ log_id }) => log_id);
}

const at = (minutes: number) => new Date(startMs + minutes * minuteMs).toISOString();

describe("by page", () => {
  it("goes by date, whichever way, through all types, and counts", () =>
    withStage(async ({ keeper }) => {
      const types = ["s", "ss", "f", "fs", "w"] as const;
      // In an order that has nothing to do with their dates; each date twice.
      const entries = Array.from({ length: 60 }, (_, i) =>
        entry({ log_id: `m${String(i).padStart(2, "0")}`, type: types[i % 5] as "s", date: at(-Math.floor(i / 2)) }),
      );
      keeper.record(entries.map((_, i) => entries[(i * 7) % 60] as (typeof entries)[number]));
      const inOrder = idsIn(await keeper.find(page({ perPage: 60, newestFirst: false })));
      const dates = new Map(entries.map(({ log_id, date }) => [log_id, date]));
      expect(inOrder.map((id) => dates.get(id))).toEqual(entries.map(({ date }) => date).sort());
      const pages: string[] = [];
      for (let i = 0; i < 7; i++) pages.push(...idsIn(await keeper.find(page({ page: i, perPage: 9 }))));
      expect(pages).toEqual(inOrder.toReversed());
      expect(await keeper.find(page({ page: 1, perPage: 2, hasTotal: true }))).toMatchObject({ total: 60 });
      const warnings = await keeper.find(page({ perPage: 2, hasTotal: true, q: `type:w AND date:<${at(-3)}` }));
      expect(warnings).toMatchObject({ ok: true, total: 11 });
      expect(idsIn(warnings)).toEqual(["m09", "m14"]);
    }));

  it("refuses to look at everything there is, and finds what is rare by its type", () =>
    withStage(async ({ keeper, storage }) => {
      keeper.record([warning("cohort_stale", { log_id: "rare", date: at(-60) })]);
      keeper.record(Array.from({ length: 500 }, (_, i) => entry({ date: at(-50 + i / 100) })));
      const finder = createFinder({ entries: new EntryStore(storage), rest: async () => {}, mostLookedAt: 200 });
      const refused = { ok: false, reason: "too_broad", lookedAt: 200, reached: at(-47.01) };
      expect(await finder.find(page({ q: "ip:203.0.113.7" }))).toEqual(refused);
      expect(idsIn(await finder.find(page({ q: "type:w" })))).toEqual(["rare"]);
      expect(idsIn(await finder.find(page({ q: `ip:* OR date:<${at(-59)}`, perPage: 1, newestFirst: false })))).toEqual(
        ["rare"],
      );
      expect(idsIn(await finder.find(page({ q: `NOT ip:* AND date:[* TO ${at(-59)}]` })))).toEqual(["rare"]);
    }));
});

describe("by checkpoint", () => {
  it("neither skips nor repeats, while entries of any date come and the oldest go", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ count: fc.nat(12), take: fc.integer({ min: 1, max: 7 }), back: fc.nat(100) }), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.constantFrom(undefined, "type:s", "NOT type:s"),
        (rounds, q) =>
          withStage(async ({ keeper, pass }) => {
            let number = 0;
            let from: string | undefined;
            const wanted: string[] = [];
            const read: string[] = [];
            async function readOn(take: number): Promise<number> {
              const found = await keeper.find(onwards(from, take, q));
              if (!found.ok) throw new Error(found.reason);
              read.push(...idsIn(found));
              from = found.checkpoint ?? from;
              return found.entries.length;
            }
            for (const { count, take, back } of rounds) {
              const entries = Array.from({ length: count }, () =>
                entry({
                  log_id: `n${number++}`,
                  type: number % 3 === 0 ? "w" : "s",
                  date: new Date(Date.now() - back * minuteMs).toISOString(),
                }),
              );
              keeper.record(entries);
              wanted.push(
                ...entries
                  .filter(({ type }) => q === undefined || (type === "s") === (q === "type:s"))
                  .map(({ log_id }) => log_id),
              );
              await readOn(take);
              await pass(minuteMs);
            }
            while ((await readOn(5)) > 0);
            expect(read).toEqual(wanted);
          }),
      ),
      { numRuns: 20 },
    ));

  it("begins with the oldest, and says when the entry to go on from is known no more", () =>
    withStage(
      async ({ keeper, pass }) => {
        expect(await keeper.find(onwards(undefined, 10))).toEqual({ ok: true, entries: [] });
        keeper.record([entry({ log_id: "a" }), entry({ log_id: "b" })]);
        expect(idsIn(await keeper.find(onwards(undefined, 1)))).toEqual(["a"]);
        expect(await keeper.find(onwards("b", 1))).toEqual({ ok: true, entries: [], checkpoint: "b" });
        await pass(2 * dayMs);
        keeper.record([entry({ log_id: "c" })]);
        expect(await keeper.find(onwards("b", 1))).toEqual({ ok: false, reason: "unknown_checkpoint" });
        expect(idsIn(await keeper.find(onwards(undefined, 1)))).toEqual(["c"]);
      },
      { limits: { retentionMs: dayMs } },
    ));

  it("goes on behind what it has looked at, when it has looked at much and found little", () =>
    withStage(async ({ keeper, storage }) => {
      keeper.record([
        ...Array.from({ length: 900 }, () => entry()),
        entry({ log_id: "needle", ip: "203.0.113.7" }),
        ...Array.from({ length: 300 }, () => entry()),
        entry({ log_id: "last" }),
      ]);
      const finder = createFinder({ entries: new EntryStore(storage), rest: async () => {}, mostLookedAt: 400 });
      const seen: string[][] = [];
      let from: string | undefined;
      while (from !== "last") {
        const found = await finder.find(onwards(from, 10, "ip:203.0.113.*"));
        seen.push(idsIn(found));
        from = found.ok ? found.checkpoint : undefined;
      }
      expect(seen).toEqual([[], [], ["needle"], []]);
    }));
});

it("reads each entry once, however many there are", () =>
  withStage(async ({ keeper, storage }) => {
    const count = 6_000;
    for (let i = 0; i < count; i += 500) {
      keeper.record(
        Array.from({ length: 500 }, (_, j) => entry({ date: at(-((i + j) % 700)), type: j % 2 ? "s" : "f" })),
      );
    }
    const cursors: SqlStorageCursor<never>[] = [];
    const { sql } = storage;
    const counted = { exec: (...asked: [string]) => cursors[cursors.push(sql.exec(...asked)) - 1] };
    const entries = new EntryStore({ sql: counted } as unknown as DurableObjectStorage);
    const finder = createFinder({ entries, rest: async () => {} });
    const q = "ip:203.0.113.7 AND NOT details.failed_open:*";
    const backwards = page({ q, newestFirst: true });
    for (const question of [onwards(undefined, 10, q), page({ q, newestFirst: false }), backwards]) {
      cursors.length = 0;
      expect(idsIn(await finder.find(question))).toEqual([]);
      expect(cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0)).toBeLessThan(2.5 * count);
    }
  }));

it("shows an entry as Auth0's consumers know it, one by its log_id too", () =>
  withStage(async ({ keeper }) => {
    const one = entry({ log_id: "a", ip: "203.0.113.7", user_agent: "Mozilla", client_id: "shop" });
    keeper.record([one]);
    expect(keeper.get("a")).toEqual({ _id: "a", ...one });
    expect(Object.keys(keeper.get("a") ?? {}).slice(0, 5)).toEqual(["_id", "log_id", "date", "type", "description"]);
    expect(keeper.get("b")).toBeNull();
  }));
