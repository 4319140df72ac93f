/** What grows with the number of cohorts. */
import { type House, snapshotOf, startHouse, until } from "./house.ts";
import { measureWarm, startExperiment } from "./look-ups.ts";
import { choiceOf } from "./members.ts";
import { printTable } from "./table.ts";

const counts = [1, 10, 100];
const subjects = 200_000;
const membersEach = subjects / 10;

/** Cohorts of some of the same subjects, overlapping by chance. */
async function fill(house: House, tenant: string, count: number): Promise<string[]> {
  const { send } = house.manage(tenant);
  const ids: string[] = [];
  for (let number = 0; number < count; number++) {
    const path = `/${tenant}/${number}`;
    house.source.members.set(path, () => choiceOf(subjects, number));
    const url = `${house.source.origin}${path}`;
    const name = `Cohort ${number}`;
    ids.push(
      (await send("POST", "/cohorts", { name, id_type: "device", source: { type: "url", url, format: "ndjson" } })).id,
    );
  }
  const isReady = () => Object.keys(snapshotOf(house, tenant)?.cohorts?.ready ?? {}).length === count || undefined;
  await until(isReady);
  return ids;
}

export async function measureGrowth(): Promise<void> {
  const rows: string[][] = [];
  for (const count of counts) {
    const house = await startHouse(["with", "without"]);
    try {
      const start = performance.now();
      const [first = ""] = await fill(house, "with", count);
      const took = performance.now() - start;
      await startExperiment(house, "with", { cohort: [first] });
      await startExperiment(house, "without", { browser: ["chrome"] });
      const { shards, bytes } = house.kv.written();
      const index = snapshotOf(house, "with")?.cohorts;
      const held = (index?.generations ?? []).map(
        (generation, shard) => house.kv.read(`cohorts:with:${generation}:${shard}`)?.length ?? 0,
      );
      rows.push([
        `${count}`,
        (took / 1000).toFixed(1),
        String(held.length),
        (held.reduce((sum, each) => sum + each, 0) / 1e6).toFixed(2),
        String(shards),
        (bytes / 1e6).toFixed(1),
        String(JSON.stringify(index).length),
        house.peakMb()?.toFixed(0) ?? "not measured",
      ]);
      const members = [...choiceOf(subjects, 0)].flat();
      await measureWarm(`${count} ${count === 1 ? "cohort" : "cohorts"} of ${membersEach.toLocaleString("en")}`, {
        house,
        tenant: "with",
        other: "without",
        members,
      });
    } finally {
      await house.close();
    }
  }
  printTable(
    `Cohorts of ${membersEach.toLocaleString("en")} each, of ${subjects.toLocaleString("en")} subjects`,
    ["cohorts", "looked up s", "shards", "index MB", "shards written", "MB", "snapshot's part", "memory MB"],
    rows,
  );
}
