/** What it costs a visitor's first page that the experiment asks for a cohort, against one that asks for the browser. */
import { hashMember } from "../../../src/cohorts/member-hash.ts";
import { shardOf } from "../../../src/cohorts/shard.ts";
import { quantile } from "../interleave.ts";
import { type Client, createClient } from "../load/client.ts";
import { duel } from "../load/duel.ts";
import { findProcessorClock } from "../load/processor-time.ts";
import { formatResults } from "../load/table.ts";
import { type House, snapshotOf, until } from "./house.ts";
import { together } from "./members.ts";
import { printTable } from "./table.ts";

const connectionCount = 8;
const options = { rounds: 20, sliceMs: 60, warmUpMs: 1_000 };

type Match = { cohort: string[] } | { browser: string[] };

/** An experiment whose treatment is for those in a segment. */
export async function startExperiment(house: House, tenant: string, match: Match): Promise<void> {
  await house.manage(tenant).import({
    feature_flags: [
      {
        name: "Page",
        parameters: { headline: { type: "string", value: "Sign in" } },
        variations: [{ name: "Control" }, { name: "Treatment", overrides: { headline: { value: "Welcome" } } }],
      },
    ],
    segments: [{ name: "Chosen", rules: [{ match }] }],
    experiments: [
      {
        name: "For the chosen",
        feature_flag_id: "page",
        allocation_strategy: "segment",
        status: "active",
        allocations: [
          { variation_id: "treatment", segment_id: "Chosen", priority: 1 },
          { variation_id: "control", is_control: true, is_fallback: true },
        ],
      },
    ],
  });
  await until(() => (snapshotOf(house, tenant)?.flags.length ? true : undefined));
}

/** A device's first page of a session: decided anew each time, since no session comes along. */
function requestOf(tenant: string, device: string): string {
  return [
    "GET /login HTTP/1.1",
    `Host: ${tenant}.test`,
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Dest: document",
    `Cookie: device=${device}`,
    "",
    "",
  ].join("\r\n");
}

/** One device for each shard of the index, from members: `bits` as the index has them. */
function oneAShard(devices: readonly string[], bits: number): string[] {
  const hash = new Uint32Array(2);
  const found = new Map<number, string>();
  for (const device of devices) {
    hashMember("device", device, hash, 0);
    found.set(shardOf(hash[1] ?? 0, bits), device);
  }
  return [...found.values()];
}

/** Whether the origin was told the treatment. @throws when it was told nothing */
async function isTreated({ origin }: House, client: Client, request: string): Promise<boolean> {
  const captured = origin.capture();
  await client.ask(request);
  const [, control] = /^x-experiment-control: (\w+)/im.exec(await captured) ?? [];
  if (control === undefined) throw new Error("a visitor was not assigned");
  return control === "false";
}

async function timesOf(client: Client, requests: readonly string[]): Promise<number[]> {
  const times: number[] = [];
  for (const request of requests) {
    const start = performance.now();
    await client.ask(request);
    times.push(performance.now() - start);
  }
  return times;
}

export interface LookUpOptions {
  house: House;
  /** Its experiment asks for a cohort, and no visitor has come yet. */
  tenant: string;
  /** Its experiment does not. */
  other: string;
  members: readonly string[];
}

/** One at a time, each to a shard that nobody has read yet; then the same again. */
export async function measureCold({ house, tenant, other, members }: LookUpOptions): Promise<void> {
  const bits = snapshotOf(house, tenant)?.cohorts?.bits ?? 0;
  const client = createClient(house.url, 1);
  const [first = "", ...devices] = oneAShard(members, bits);
  const requests = (name: string) => devices.map((device) => requestOf(name, device));
  // What an isolate does but once is done: the code is compiled, the snapshot read.
  for (const name of [other, tenant]) await timesOf(client, Array(300).fill(requestOf(name, first)));
  if (!(await isTreated(house, client, requestOf(tenant, first)))) throw new Error("a member is not in the cohort");
  if (await isTreated(house, client, requestOf(tenant, "a-stranger"))) throw new Error("a stranger is in the cohort");

  const before = house.kv.reads();
  const cold = await timesOf(client, requests(tenant));
  const reads = house.kv.reads() - before;
  const warm = await timesOf(client, requests(tenant));
  const without = await timesOf(client, requests(other));
  client.close();
  printTable(
    `One visitor at a time, ${devices.length} shards; KV is another process on this machine, asked ${reads} times`,
    ["", "p50 ms", "p90 ms"],
    Object.entries({ "first read of a shard": cold, "from memory": warm, "without cohorts": without }).map(
      ([name, times]) => [name, quantile(times, 0.5).toFixed(2), quantile(times, 0.9).toFixed(2)],
    ),
  );
}

/** At full load, from memory. */
export async function measureWarm(title: string, { house, tenant, other, members }: LookUpOptions): Promise<void> {
  const devices = members.slice(0, together);
  const requests = (name: string) => {
    const all = devices.map((device) => requestOf(name, device));
    let at = 0;
    return () => all[at++ % all.length] as string;
  };
  const client = createClient(house.url, connectionCount);
  // Every shard is read before anything is measured.
  const bits = snapshotOf(house, tenant)?.cohorts?.bits ?? 0;
  await timesOf(
    client,
    oneAShard(members, bits).map((device) => requestOf(tenant, device)),
  );
  const before = house.kv.reads();
  const results = await duel(
    [
      { name: "asks for a cohort", client, nextRequest: requests(tenant) },
      { name: "asks for the browser", client, nextRequest: requests(other) },
      { name: "asks for a cohort, once more (noise)", client, nextRequest: requests(tenant) },
    ],
    { ...options, clock: findProcessorClock(house.pid) },
  );
  client.close();
  console.log(formatResults(title, results, "cohort's"));
  console.log(`  Shards read from KV meanwhile: ${house.kv.reads() - before}\n`);
}
