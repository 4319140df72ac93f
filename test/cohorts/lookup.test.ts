import { beforeEach, describe, expect, it } from "vitest";
import { type CohortLookup, createCohortReader } from "../../src/cohorts/lookup.ts";
import { type CohortIndex, cohortShardKey } from "../../src/model/snapshot.ts";
import { bindings } from "../all-workers.ts";
import { publishIndex, shardOfMember } from "./published.ts";

const real = bindings.SNAPSHOTS;
const numbered = (name: string, count: number) => Array.from({ length: count }, (_, place) => `${name}-${place}`);
const cohorts = {
  coh_Odd: { type: "device", members: numbered("d", 400).filter((_, place) => place % 2 === 1) },
  coh_Few: { type: "device", members: ["d-1", "d-2", "gerät 🚀", "x".repeat(1024)] },
  coh_Users: { type: "user", members: ["u-1", "d-3"] },
} as const;

let index: CohortIndex;
let nowMs: number;
/** Calls to KV: key and how long it may be cached. */
let asked: { key: string; cacheTtl: number }[];
let ended: boolean[];
/** What KV does, instead of answering. */
let fault: (() => Promise<never>) | null;
let reader: ReturnType<typeof createCohortReader>;

beforeEach(async () => {
  index = await publishIndex(real, cohorts);
  nowMs = 1_000_000;
  [asked, ended, fault] = [[], [], null];
  reader = createCohortReader({ now: () => nowMs });
});

const kv = {
  get(key: string, options: { type: "stream"; cacheTtl: number }) {
    asked.push({ key, cacheTtl: options.cacheTtl });
    return fault ? fault() : real.get(key, options);
  },
} as unknown as KVNamespace;

const guard: CohortLookup["guard"] = async (_, call) => {
  const place = ended.push(false) - 1;
  const value = await call();
  ended[place] = true;
  return value;
};
const read = (subject: Partial<CohortLookup>) =>
  reader.read({ tenant: "acme", index, deviceId: null, userId: null, kv, guard, ...subject });
const keyOf = (id: string, generation = 1) => cohortShardKey("acme", generation, shardOfMember("device", id, 2));

describe("a subject", () => {
  it.each([
    ["in two", { deviceId: "d-1" }, ["coh_Few", "coh_Odd"]],
    ["in one", { deviceId: "d-3" }, ["coh_Odd"]],
    ["in none", { deviceId: "d-0" }, []],
    ["never heard of", { deviceId: "__proto__" }, []],
    ["whose device and user are in some", { deviceId: "d-1", userId: "u-1" }, ["coh_Few", "coh_Odd", "coh_Users"]],
    ["whose user bears a device's name", { userId: "d-1" }, []],
    ["whose device bears a user's name", { deviceId: "u-1" }, []],
    ["of any alphabet", { deviceId: "gerät 🚀" }, ["coh_Few"]],
    ["of a kilobyte", { deviceId: "x".repeat(1024) }, ["coh_Few"]],
    ["whom nobody knows", {}, []],
  ])("%s", async (_, subject, expected) => {
    expect([...(await read(subject))].sort()).toEqual(expected);
    expect(asked.length).toBeLessThanOrEqual(Object.keys(subject).length);
  });

  it.each([0, 1, 5])("is found in 2 to the power of %i shards, and no stranger is", async (bits) => {
    const published = await publishIndex(real, cohorts, { bits, generation: 7 });
    for (const [place, id] of numbered("d", 400).entries()) {
      const found = await read({ deviceId: id, index: published });
      expect(found.includes("coh_Odd")).toBe(place % 2 === 1);
    }
    for (const id of numbered("stranger", 400)) expect(await read({ deviceId: id, index: published })).toEqual([]);
    expect(asked.length).toBeLessThanOrEqual(2 ** bits);
  });

  it("is asked about by those ids alone that some cohort is of", async () => {
    const { coh_Odd, coh_Few } = index.ready;
    await read({ userId: "u-1", index: { ...index, ready: { coh_Odd, coh_Few } as CohortIndex["ready"] } });
    expect(asked).toEqual([]);
  });

  it("is in no cohort that the index does not answer for", async () => {
    const { coh_Odd } = index.ready;
    expect(await read({ deviceId: "d-1", index: { ...index, ready: { coh_Odd } as CohortIndex["ready"] } })).toEqual([
      "coh_Odd",
    ]);
  });

  it("is not known by another tenant's index", async () => {
    await expect(read({ deviceId: "d-1", tenant: "beta" })).rejects.toThrow("not there");
  });
});

describe("memory", () => {
  it("answers at once, without a promise", async () => {
    await read({ deviceId: "d-1", userId: "u-1" });
    const before = asked.length;
    const found = read({ deviceId: "d-1", userId: "u-1" });
    if (found instanceof Promise) throw new Error("a promise");
    expect(found.toSorted()).toEqual(["coh_Few", "coh_Odd", "coh_Users"]);
    expect(asked).toHaveLength(before);
  });

  it("of one generation says nothing of the next", async () => {
    expect(await read({ deviceId: "d-0" })).toEqual([]);
    const changed = await publishIndex(
      real,
      { ...cohorts, coh_Few: { type: "device", members: ["d-0"] } },
      { generation: 2 },
    );
    expect(await read({ deviceId: "d-0", index: changed })).toEqual(["coh_Few"]);
    expect(asked.map(({ key }) => key)).toEqual([keyOf("d-0"), keyOf("d-0", 2)]);
  });

  it("keeps what was used last within its bounds", async () => {
    const sizes = await Promise.all(
      [0, 1, 2].map(
        async (shard) => (await real.get(cohortShardKey("acme", 1, shard), "arrayBuffer"))?.byteLength ?? 0,
      ),
    );
    const [first = 0, ...rest] = sizes;
    const others = numbered("d", 400);
    const inShard = (shard: number) => others.find((id) => shardOfMember("device", id, 2) === shard) ?? "";
    reader = createCohortReader({ now: () => nowMs, maxBytes: first + Math.max(...rest) });
    for (const shard of [0, 1, 0, 2]) await read({ deviceId: inShard(shard) });
    expect(read({ deviceId: inShard(0) })).not.toBeInstanceOf(Promise);
    expect(read({ deviceId: inShard(2) })).not.toBeInstanceOf(Promise);
    expect(read({ deviceId: inShard(1) })).toBeInstanceOf(Promise);
  });

  it("answers also with what is too large to be kept", async () => {
    reader = createCohortReader({ now: () => nowMs, maxBytes: 10 });
    for (let i = 0; i < 3; i++) expect(await read({ deviceId: "d-3" })).toEqual(["coh_Odd"]);
    expect(asked).toHaveLength(3);
  });

  it("is asked from KV for long: nothing is ever written under a key again", async () => {
    await read({ deviceId: "d-1" });
    expect(asked).toEqual([{ key: keyOf("d-1"), cacheTtl: 24 * 3600 }]);
  });
});

describe("several at a time", () => {
  it("share one call for one shard", async () => {
    const found = await Promise.all(Array.from({ length: 20 }, () => read({ deviceId: "d-1" })));
    for (const each of found) expect([...each].sort()).toEqual(["coh_Few", "coh_Odd"]);
    expect(asked).toHaveLength(1);
  });

  it("share its failure, and the next one asks again", async () => {
    fault = () => Promise.reject(new Error("down"));
    const found = await Promise.allSettled(Array.from({ length: 5 }, () => read({ deviceId: "d-1" })));
    expect(found.map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
    expect(asked).toHaveLength(1);
    fault = null;
    expect(await read({ deviceId: "d-3" })).toEqual(["coh_Odd"]);
  });

  it("do not wait for one that hangs, whose request may be gone", async () => {
    fault = () => new Promise<never>(() => {});
    void Promise.resolve(read({ deviceId: "d-1" })).catch(() => {});
    fault = null;
    nowMs += 1_000;
    expect(await read({ deviceId: "d-1" })).toHaveLength(2);
    expect(read({ deviceId: "d-1" })).toHaveLength(2);
  });
});

describe("what cannot be read is a failure, and no fault of KV's", () => {
  const values: [string, Uint8Array | string][] = [
    ["nothing", ""],
    ["an error page", "<html>502 Bad Gateway</html>"],
    ["zeros", new Uint8Array(4096)],
    ["25 MiB", new Uint8Array(25 * 1024 * 1024).fill(0x20)],
  ];
  it.each(values)("%s", async (_, value) => {
    await real.put(keyOf("d-1"), value);
    await expect(read({ deviceId: "d-1" })).rejects.toThrow(keyOf("d-1"));
    expect(ended).toEqual([true]);
  });

  it("one beyond all measure is not read to its end", async () => {
    await real.put(keyOf("d-1"), new Uint8Array(4 * 1024 * 1024 + 1));
    await expect(read({ deviceId: "d-1" })).rejects.toThrow("more than 4194304 bytes");
  });

  it("a shard cut short", async () => {
    const whole = (await real.get(keyOf("d-1"), "arrayBuffer")) ?? new ArrayBuffer();
    await real.put(keyOf("d-1"), whole.slice(0, -1));
    await expect(read({ deviceId: "d-1" })).rejects.toThrow("not a shard");
    expect(ended).toEqual([true]);
  });

  it("a missing key: not at once asked for again, then anew, past what KV remembers", async () => {
    await real.delete(keyOf("d-1"));
    for (let i = 0; i < 5; i++) await expect(read({ deviceId: "d-1" })).rejects.toThrow("not there");
    nowMs += 9_999;
    await expect(read({ deviceId: "d-1" })).rejects.toThrow("not there");
    expect(asked).toHaveLength(1);
    await publishIndex(real, cohorts);
    nowMs += 1;
    expect(await read({ deviceId: "d-1" })).toHaveLength(2);
    expect(asked.map(({ cacheTtl }) => cacheTtl)).toEqual([24 * 3600, 30]);
    expect(read({ deviceId: "d-1" })).toHaveLength(2);
  });

  it("one of two shards", async () => {
    const odd = numbered("d", 400).find(
      (id, place) => place % 2 === 1 && shardOfMember("device", id, 2) !== shardOfMember("user", "u-1", 2),
    );
    await real.delete(cohortShardKey("acme", 1, shardOfMember("user", "u-1", 2)));
    await expect(read({ deviceId: odd ?? "", userId: "u-1" })).rejects.toThrow("not there");
    expect(await read({ deviceId: odd ?? "" })).toEqual(["coh_Odd"]);
  });
});

it("keeps its read alive after the answer, so that a late one serves the next", async () => {
  const kept: Promise<unknown>[] = [];
  void Promise.resolve(read({ deviceId: "d-1", defer: (work) => void kept.push(work) })).catch(() => {});
  await Promise.all(kept);
  expect(read({ deviceId: "d-1" })).toHaveLength(2);
});
