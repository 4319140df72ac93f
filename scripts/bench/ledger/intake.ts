/** Events into the ledger, a hundred at a time as the queue brings them, against an object that only appends them. */
import { createClient } from "../load/client.ts";
import { duel } from "../load/duel.ts";
import { findProcessorClock } from "../load/processor-time.ts";
import { formatResults } from "../load/table.ts";
import { startHouse } from "./house.ts";

const options = { rounds: 30, sliceMs: 100, warmUpMs: 1_500 };
const perBatch = 100;

export async function measureIntake(): Promise<void> {
  const house = await startHouse();
  // One batch at a time, as an object takes them.
  const client = createClient(house.url, 1);
  const request = (path: string) => () => `GET ${path} HTTP/1.1\r\nhost: bench.test\r\n\r\n`;
  const lane = (name: string, path: string) => ({ name, client, nextRequest: request(path) });
  try {
    const results = await duel(
      [
        lane("ledger, 1 shard", "/record?shards=1&experiment=exp_one"),
        lane("ledger, 4 shards", "/record?shards=4&experiment=exp_four"),
        lane("ledger, 16 shards", "/record?shards=16&experiment=exp_many"),
        lane("a bare object that appends rows", "/append"),
        lane("ledger, 1 shard, once more (noise)", "/record?shards=1&experiment=exp_one"),
      ],
      { ...options, clock: findProcessorClock(house.pid) },
    );
    console.log(
      `${formatResults(`Batches of ${perBatch} events; all shards share one thread here`, results, "1 shard's")}`,
    );
    const [one, , , bare] = results;
    const eventsPerSecond = (result: typeof one) =>
      Math.round((result?.perSecond ?? 0) * perBatch).toLocaleString("en");
    console.log(`  events/s: ${eventsPerSecond(one)} into one shard, ${eventsPerSecond(bare)} into the bare object\n`);
  } finally {
    client.close();
    await house.close();
  }
}
