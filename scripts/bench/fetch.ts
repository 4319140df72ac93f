/** What remote evaluation costs: against a Worker that answers as many bytes without looking, in one workerd by turns. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";
import { root, wranglerConfig } from "../paths.ts";
import { createApps, requestsOf } from "./fetch/apps.ts";
import { snapshotOf } from "./fetch/tenant.ts";
import { bundleFile } from "./load/bundle.ts";
import { createClient } from "./load/client.ts";
import { duel, type Runner } from "./load/duel.ts";
import { findProcessorClock } from "./load/processor-time.ts";
import { loginService } from "./load/product.ts";
import { formatResults } from "./load/table.ts";
import { type Service, startWorkerd, type Workerd } from "./load/workerd.ts";

const flagCounts = [1, 10, 100];
const connectionCount = 8;
const userCount = 3_000;
const options = { rounds: 30, sliceMs: 60, warmUpMs: 1_500 };

const tracks = [
  { title: "nothing told", headers: ["X-Amp-Exp-Track: no-track"] },
  { title: "assignments told once a day and isolate", headers: [] },
] as const;

async function startHouse(): Promise<Workerd> {
  const { compatibilityDate, compatibilityFlags } = workerOptionsOf(wranglerConfig).workerOptions;
  if (typeof compatibilityDate !== "string") throw new Error("wrangler.toml names no compatibility_date");
  const workers = join(root, "scripts", "bench");
  const secret = () => randomBytes(32).toString("base64url");
  const [stores, constant] = await Promise.all([
    bundleFile(join(workers, "gate", "workers", "stores.ts")),
    bundleFile(join(workers, "fetch", "workers", "constant.ts")),
  ]);
  const text = {
    ORIGIN: "http://127.0.0.1:9",
    COOKIE_KEYS: `k1:${secret()}`,
    STAMP_KEY: secret(),
    FETCH_RATE: "100000",
  };
  const ours = async (flags: number): Promise<[string, Service][]> => [
    [`vardata-${flags}`, await loginService({ text, stores: `stores-${flags}` })],
    [`stores-${flags}`, { modules: { "worker.js": stores }, text: { SNAPSHOT: snapshotOf(flags) } }],
  ];
  return startWorkerd({
    compatibilityDate,
    compatibilityFlags: Array.isArray(compatibilityFlags) ? compatibilityFlags : [],
    services: {
      ...Object.fromEntries((await Promise.all(flagCounts.map(ours))).flat()),
      constant: { modules: { "worker.js": constant }, text: {} },
    },
    sockets: {
      ...Object.fromEntries(flagCounts.map((flags) => [`vardata-${flags}`, `vardata-${flags}`])),
      constant: "constant",
      setConstant: "constant:Control",
    },
  });
}

async function measure(workerd: Workerd, flags: number, track: (typeof tracks)[number]): Promise<void> {
  const apps = createApps(userCount, track.headers);
  const path = "/sdk/v2/vardata?v=0";
  const client = (name: string) => createClient(workerd.urlOf(name), connectionCount);
  const clients = [client(`vardata-${flags}`), client("constant"), client(`vardata-${flags}`)] as const;
  const answer = await clients[0].ask(`GET ${path} HTTP/1.1\r\n${apps[0]}`);
  const body = answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1);
  if (Object.keys(JSON.parse(body)).length !== flags) throw new Error(`not ${flags} flags: ${answer.slice(0, 500)}`);
  await fetch(workerd.urlOf("setConstant"), { method: "POST", body });
  const names = ["vardata", "a constant of as many bytes", "vardata once more (noise)"];
  const runners = clients.map(
    (each, at): Runner => ({ name: names[at] ?? "", client: each, nextRequest: requestsOf(path, apps) }),
  );
  const results = await duel(runners, { ...options, clock: findProcessorClock(workerd.pid) });
  const title = `${flags} flag${flags > 1 ? "s" : ""} (${body.length} bytes), ${track.title}`;
  console.log(`${formatResults(title, results, "vardata's")}\n`);
  for (const each of clients) each.close();
}

export async function bench(): Promise<void> {
  console.log(
    `Remote evaluation in workerd at full load over ${connectionCount} connections, ${userCount} users: ${options.rounds} rounds of
${options.sliceMs} ms slices by turns. Ratios are medians within rounds with their standard error.\n`,
  );
  const workerd = await startHouse();
  try {
    for (const track of tracks) for (const flags of flagCounts) await measure(workerd, flags, track);
  } finally {
    await workerd.close();
  }
}
