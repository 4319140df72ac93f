/** Reads, creates and validations over HTTP, against a Durable Object that does the least: one row a request. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";
import { root, wranglerConfig } from "../../paths.ts";
import { bundleFile } from "../load/bundle.ts";
import { createClient } from "../load/client.ts";
import { duel } from "../load/duel.ts";
import { findProcessorClock } from "../load/processor-time.ts";
import { productServices } from "../load/product.ts";
import { formatResults } from "../load/table.ts";
import { startWorkerd } from "../load/workerd.ts";
import { createApi, seed } from "./seed.ts";

const workers = join(root, "scripts", "bench", "control", "workers");
const adminHost = "admin.test";
const token = "a-token-for-the-bench";
const connectionCount = 8;
const options = { rounds: 30, sliceMs: 60, warmUpMs: 1_000 };
const secret = "A".repeat(43);

export async function measureRequests(): Promise<void> {
  const { compatibilityDate, compatibilityFlags } = workerOptionsOf(wranglerConfig).workerOptions;
  const module = async (file: string) => ({ "worker.js": await bundleFile(join(workers, file)) });
  const disk = await mkdtemp(join(tmpdir(), "vestibule-bench-objects-"));
  const workerd = await startWorkerd({
    disk,
    compatibilityDate: String(compatibilityDate),
    compatibilityFlags: Array.isArray(compatibilityFlags) ? compatibilityFlags : [],
    services: {
      ...(await productServices({
        ADMIN_HOSTS: adminHost,
        ADMIN_TOKEN: token,
        ORIGIN: "http://127.0.0.1:9",
        COOKIE_KEYS: `k1:${secret}`,
        STAMP_KEY: secret,
        MANAGEMENT_RATE: "100000",
      })),
      bare: { modules: await module("bare-object.ts"), text: {}, objects: { CONTROL: "Bare" } },
      kv: { modules: await module("kv.ts"), text: {} },
      queue: { modules: await module("queue.ts"), text: {} },
    },
    sockets: { vestibule: "login", bare: "bare" },
  });
  try {
    const api = createApi({ url: workerd.urlOf("vestibule"), host: adminHost, token });
    const { experimentId } = await seed(api, { flags: 10 });
    const ours = createClient(workerd.urlOf("vestibule"), connectionCount);
    const bare = createClient(workerd.urlOf("bare"), connectionCount);
    const clock = findProcessorClock(workerd.pid);

    const request = (method: string, path: string, body = "") =>
      `${method} ${path} HTTP/1.1\r\nhost: ${adminHost}\r\nauthorization: Bearer ${token}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    const base = "/api/v2/experimentation";
    let made = 0;
    const segment = () =>
      JSON.stringify({ name: `Segment ${++made} of the bench`, rules: [{ match: { country: ["CH"] } }] });
    const scenarios = [
      {
        title: "Reading an experiment",
        ours: () => request("GET", `${base}/experiments/${experimentId}`),
        bare: () => request("GET", "/"),
      },
      {
        title: "Validating one",
        ours: () => request("POST", `${base}/experiments/${experimentId}/validate`),
        bare: () => request("GET", "/"),
      },
      {
        title: "Creating a segment",
        ours: () => request("POST", `${base}/segments`, segment()),
        bare: () => request("POST", "/", segment()),
      },
    ];
    console.log("The management API in workerd, against a bare SQLite object that reads or writes one row.\n");
    for (const scenario of scenarios) {
      const results = await duel(
        [
          { name: "management API", client: ours, nextRequest: scenario.ours },
          { name: "a bare object", client: bare, nextRequest: scenario.bare },
          { name: "management API once more (noise)", client: ours, nextRequest: scenario.ours },
        ],
        { ...options, clock },
      );
      console.log(`${formatResults(scenario.title, results, "our")}\n`);
    }
    ours.close();
    bare.close();
  } finally {
    await workerd.close();
    await rm(disk, { recursive: true });
  }
}
