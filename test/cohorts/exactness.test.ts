/** At real sizes: every member found, and nobody else, through SQLite, the shards, KV and back. */
import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { CohortFacts } from "../../src/cohorts/facts.ts";
import { createIndexBuilder } from "../../src/cohorts/index-builder.ts";
import { IndexStore } from "../../src/cohorts/index-store.ts";
import { createCohortReader } from "../../src/cohorts/lookup.ts";
import { MemberStore } from "../../src/cohorts/member-store.ts";
import { createMemberWriter } from "../../src/cohorts/member-writer.ts";
import type { CohortIndex } from "../../src/model/snapshot.ts";
import { bindings as env } from "../all-workers.ts";

const million = 1_000_000;
const rest = async () => {};
const idOf = (at: number) => `auth0|${(at * 2654435761) % 2 ** 32}-${at}`;

it("a million members are found, a million others are not; after 1% has changed, all shards are put and no more", async () => {
  const stub = env.COHORTS.get(env.COHORTS.idFromName("a million"));
  await runInDurableObject(stub, async (_, state) => {
    const { storage } = state;
    const facts = new CohortFacts(storage);
    const members = new MemberStore(storage);
    facts.set({ tenant: "exact" });
    let puts = 0;
    let heard: CohortIndex = { bits: 0, generations: [0], ready: {} };
    const builder = createIndexBuilder({
      members,
      index: new IndexStore(storage),
      facts,
      kv: {
        put(key: string, value: ArrayBufferView) {
          puts++;
          return env.SNAPSHOTS.put(key, value);
        },
      } as unknown as KVNamespace,
      ready: () => ({ coh_a: { id_type: "user", size: members.size("coh_a"), refreshed_at: "" } }),
      isBusy: () => false,
      async announce(number, index) {
        heard = index;
        return number;
      },
      now: Date.now,
      random: Math.random,
      rest,
      putsPerTurn: 50,
    });

    async function replace(from: number, to: number) {
      const writer = createMemberWriter({
        cohort: "coh_a",
        idType: "user",
        store: members,
        facts,
        maxMembers: 10 * million,
        rest,
      });
      for (let at = from; at < to; at += 1_000) {
        await writer.add(Array.from({ length: Math.min(1_000, to - at) }, (_, offset) => idOf(at + offset)));
      }
      const outcome = await writer.finish("replace", () => builder.want(true));
      let turns = 0;
      for (const before = heard; heard === before; turns++) {
        const putsBefore = puts;
        await builder.run(Date.now());
        expect(puts - putsBefore).toBeLessThanOrEqual(50);
      }
      return { ...outcome, turns };
    }

    async function found(from: number, to: number): Promise<number> {
      const reader = createCohortReader({ now: Date.now, maxBytes: 64 * 1024 * 1024 });
      const lookup = { tenant: "exact", index: heard, deviceId: null, kv: env.SNAPSHOTS };
      const guard = <T>(_: "kv", call: () => Promise<T>) => call();
      let count = 0;
      for (let at = from; at < to; at++) {
        const cohorts = reader.read({ ...lookup, userId: idOf(at), guard });
        const known = cohorts instanceof Promise ? await cohorts : cohorts;
        if (known.length === 1 && known[0] === "coh_a") count++;
        else if (known.length > 0) throw new Error(`in ${known}`);
      }
      return count;
    }

    const first = await replace(0, million);
    expect(first).toEqual({ added: million, removed: 0, size: million, turns: 3 });
    expect([heard.bits, puts]).toEqual([7, 128]);
    expect(await found(0, million)).toBe(million);
    expect(await found(million, 2 * million)).toBe(0);

    puts = 0;
    expect(await replace(million / 100, million * 1.01)).toMatchObject({
      added: 10_000,
      removed: 10_000,
      size: million,
    });
    expect(puts).toBe(128);
    expect(await found(0, million / 100)).toBe(0);
    expect(await found(million, million * 1.01)).toBe(10_000);
    expect(await found(million / 100, million / 10)).toBe(90_000);

    puts = 0;
    expect(await replace(million / 100, million * 1.01)).toMatchObject({ added: 0, removed: 0, size: million });
    expect(puts).toBe(0);
    expect(members.has("coh_a", "user", idOf(million))).toBe(true);
    expect(members.has("coh_a", "user", idOf(0))).toBe(false);
  });
}, 180_000);
