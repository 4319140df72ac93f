/** What the gate costs: against Workers that do less, and one that does the like, all in one workerd by turns. */

import { type House, type StoreCalls, startHouse } from "./gate/house.ts";
import { type Origin, startOrigin } from "./gate/origin.ts";
import { type Contender, contenders, type Scenario, scenarios } from "./gate/scenarios.ts";
import { inviteVisitors, requestsOf, type Visitors } from "./gate/visitors.ts";
import { type Client, createClient } from "./load/client.ts";
import { duel, type Result, type Runner } from "./load/duel.ts";
import { findProcessorClock } from "./load/processor-time.ts";
import { formatRatio, formatResults } from "./load/table.ts";

const connectionCount = 8;
const visitorCount = 3_000;
const options = { rounds: 40, sliceMs: 60, warmUpMs: 1_500 };

interface Stand {
  origin: Origin;
  house: House;
  clients: Readonly<Record<Contender, Client>>;
  visitors: Visitors;
  clock: (() => number) | null;
}

/** The headers that the gate changes on such a request or adds to it, as the origin sees them. */
async function readAdditions({ origin, clients, visitors }: Stand, { heads, path }: Scenario) {
  const [head = ""] = heads(visitors);
  const request = `GET ${path()} HTTP/1.1\r\n${head}`;
  const headersOf = async (client: Client) => {
    const captured = origin.capture();
    await client.ask(request);
    const [, ...lines] = (await captured).split("\r\n");
    return lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)] as const);
  };
  const came = new Map(await headersOf(clients.bare));
  return (await headersOf(clients.gate)).filter(([name, value]) => came.get(name) !== value);
}

function tellStores(before: StoreCalls, after: StoreCalls, results: readonly Result[], seconds: number): string {
  const gates = results.filter(({ name }) => name === contenders.gate || name === contenders.again);
  const count = gates.reduce((sum, { requests }) => sum + requests, 0);
  const calls = `KV ${after.kv - before.kv}, cache ${after.cache - before.cache}, queue ${after.queue - before.queue}`;
  return `  Stores called for ${count} requests in ${seconds.toFixed(0)} s: ${calls}`;
}

function tellTargets(results: readonly Result[]): string[] {
  const targets = [
    { name: contenders.constants, label: "90% of b", least: 0.9 },
    { name: contenders.growthbook, label: "2.5× c", least: 2.5 },
  ];
  return targets.flatMap(({ name, label, least }) => {
    const result = results.find((each) => each.name === name);
    if (!result) return [];
    const verdict = result.throughput.median >= least ? "met" : "missed";
    return [`  Target, at least ${label}: ${verdict} (${formatRatio(result.throughput)})`];
  });
}

async function measure(stand: Stand, scenario: Scenario): Promise<void> {
  const { origin, house, clients, visitors, clock } = stand;
  const { title, heads, path, against, answering, steady } = scenario;
  origin.serve({ hopByHop: true, hosted: false, ...answering });
  const additions = await readAdditions(stand, scenario);
  await house.setConstants(additions);
  const runners = (["gate", ...against, "again"] as const).map(
    (name): Runner => ({
      name: contenders[name],
      client: clients[name],
      nextRequest: requestsOf(heads(visitors), path),
    }),
  );
  const before = await house.storeCalls();
  const startedAt = performance.now();
  const results = await duel(runners, { ...options, clock });
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(formatResults(title, results));
  console.log(tellStores(before, await house.storeCalls(), results, seconds));
  console.log(
    `  The gate sets ${additions.length} request headers, b as many: ${additions.map(([name]) => name).join(", ")}`,
  );
  if (steady && against.length > 1) for (const line of tellTargets(results)) console.log(line);
  console.log();
}

async function measureAll(origin: Origin, house: House): Promise<void> {
  const client = (name: string) => createClient(house.urlOf(name), connectionCount);
  const clients = {
    gate: client("gate"),
    bare: client("bare"),
    constants: client("constants"),
    growthbook: client("growthbook"),
    growthbookMemory: client("growthbookMemory"),
    again: client("gate"),
  };
  const visitors = await inviteVisitors(house.urlOf("gate"), visitorCount);
  const stand = { origin, house, clients, visitors, clock: findProcessorClock(house.pid) };
  for (const scenario of scenarios) await measure(stand, scenario);
  for (const each of Object.values(clients)) each.close();
}

export async function bench(): Promise<void> {
  console.log(
    `The gate in workerd at full load over ${connectionCount} connections: ${options.rounds} rounds of ${options.sliceMs} ms slices by turns.
Ratios are medians within rounds with their standard error; the gate against itself shows the noise. KV is asked
behind the answers whether the snapshot is still the newest, once in 30 s and isolate.\n`,
  );
  const origin = await startOrigin();
  try {
    const house = await startHouse(origin.url);
    try {
      await measureAll(origin, house);
    } finally {
      await house.close();
    }
  } finally {
    await origin.close();
  }
}
