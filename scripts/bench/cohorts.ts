/** What cohorts cost: fetching and indexing their members, looking a visitor up, and having many. */
import { measureGrowth } from "./cohorts/growth.ts";
import { type House, startHouse } from "./cohorts/house.ts";
import { measureCold, measureWarm, startExperiment } from "./cohorts/look-ups.ts";
import { membersOf } from "./cohorts/members.ts";
import { measureRefreshes } from "./cohorts/refreshes.ts";

const sizes = [100_000, 1_000_000, 5_000_000];
/** Its index just fits in an isolate's memory. */
const lookedUp = 1_000_000;

async function measureLookUps(house: House, cohort: string): Promise<void> {
  await startExperiment(house, "with", { cohort: [cohort] });
  await startExperiment(house, "without", { browser: ["chrome"] });
  const members = [...membersOf(lookedUp, 1)].flat();
  const stand = { house, tenant: "with", other: "without", members };
  await measureCold(stand);
  await measureWarm("A first page at full load, the index in memory", stand);
}

export async function bench(): Promise<void> {
  console.log(
    "Cohorts in workerd, an isolate's heap held to 128 MB. Source and KV are another process on this machine.\n",
  );
  for (const size of sizes) {
    const house = await startHouse(["with", "without"]);
    try {
      const cohort = await measureRefreshes(house, "with", size);
      if (size === lookedUp) await measureLookUps(house, cohort);
    } finally {
      await house.close();
    }
  }
  await measureGrowth();
}
