/** One cohort, fetched, fetched again with one member in a hundred changed, and once more as it is. */
import { type House, snapshotOf, untilFetched, untilLookedUp } from "./house.ts";
import { membersOf } from "./members.ts";
import { printTable } from "./table.ts";

/** From one building of the index to the next: waited for between two refreshes, so as not to measure it. */
const betweenBuildsMs = 5_000;

interface Refresh {
  what: string;
  fetchedMs: number;
  /** Null where nothing changes in the index. */
  indexedMs: number | null;
  shards: number;
  bytes: number;
}

export async function measureRefreshes(house: House, tenant: string, count: number): Promise<string> {
  const management = house.manage(tenant);
  const { send } = management;
  const path = "/members";
  const url = `${house.source.origin}${path}`;
  const before = house.peakMb();
  let cohort = "";

  async function measure(what: string, begin: () => Promise<void>): Promise<Refresh> {
    const written = house.kv.written();
    const start = performance.now();
    await begin();
    const { refreshed_at, size } = await untilFetched(management, cohort);
    const fetchedMs = performance.now() - start;
    if (size !== count) throw new Error(`${size} members instead of ${count}`);
    const isNews = what !== "the same";
    if (isNews) await untilLookedUp(house, tenant, cohort, refreshed_at ?? "");
    const indexedMs = isNews ? performance.now() - start : null;
    await new Promise((resolve) => setTimeout(resolve, betweenBuildsMs));
    const { shards, bytes } = house.kv.written();
    return { what, fetchedMs, indexedMs, shards: shards - written.shards, bytes: bytes - written.bytes };
  }
  const again = async () => void (await send("POST", `/cohorts/${cohort}/refresh`));

  house.source.members.set(path, () => membersOf(count));
  const rows = [
    await measure("the first time", async () => {
      const made = await send("POST", "/cohorts", {
        name: "Members",
        id_type: "device",
        source: { type: "url", url, format: "ndjson" },
      });
      cohort = made.id;
    }),
  ];
  house.source.members.set(path, () => membersOf(count, 1));
  rows.push(await measure("1% changed", again));
  rows.push(await measure("the same", again));

  const shards = snapshotOf(house, tenant)?.cohorts?.generations.length ?? 0;
  const peak = house.peakMb();
  const memory = peak === null ? "not measured" : `${peak.toFixed(0)} MB at most, ${before?.toFixed(0)} MB before`;
  printTable(
    `${count.toLocaleString("en")} members; memory of workerd ${memory}`,
    ["", "fetched s", "looked up s", "members/s", `of ${shards} shards written`, "MB"],
    rows.map(({ what, fetchedMs, indexedMs, shards: puts, bytes }) => [
      what,
      (fetchedMs / 1000).toFixed(1),
      indexedMs === null ? "" : (indexedMs / 1000).toFixed(1),
      ((count / fetchedMs) * 1000).toFixed(0),
      String(puts),
      (bytes / 1e6).toFixed(1),
    ]),
  );
  return cohort;
}
