/** Assets answer where the Worker asks them to, and nowhere else: any address may be the origin's. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { unstable_readConfig as readConfig } from "wrangler";
import { startLocal } from "../../scripts/local.ts";
import { root } from "../../scripts/paths.ts";
import { withWorkers } from "../../scripts/workers.ts";

const origin = createServer((request, response) => response.end(`origin: ${request.url}`));
await new Promise<void>((settle) => {
  origin.listen(0, "127.0.0.1", settle);
});
const worker = await startLocal({
  port: 0,
  vars: {
    ORIGIN: `http://127.0.0.1:${(origin.address() as AddressInfo).port}`,
    ADMIN_HOSTS: "localhost",
    COOKIE_KEYS: `k1:${"A".repeat(43)}`,
    STAMP_KEY: "A".repeat(43),
  },
});
afterAll(async () => {
  await worker.close();
  await new Promise((settle) => {
    origin.close(settle);
  });
});

const documentPath = "/api/v2/experimentation/openapi.json";

it.each(["/openapi.json", "/", "/_headers", "/api/v2/openapi.json"])("%s is the origin's", async (path) => {
  const answer = await fetch(`${worker.url}${path}`);
  expect(await answer.text()).toBe(`origin: ${path}`);
});

it("the document is served on admin hosts, and elsewhere its address is the origin's", async () => {
  const onAdminHost = await fetch(`${worker.url}${documentPath}`);
  expect(await onAdminHost.json()).toHaveProperty("openapi");
  const elsewhere = await fetch(`${worker.directUrl}${documentPath}`);
  expect(await elsewhere.text()).toBe(`origin: ${documentPath}`);
});

it.each([
  ["uplot.js", "uPlot.iife.min.js"],
  ["uplot.css", "uPlot.min.css"],
])("%s is uPlot's own, of the version that is named", async (asset, published) => {
  const own = readFile(join(root, "src", "assets", "dashboard", asset));
  expect(await own).toEqual(await readFile(join(root, "node_modules", "uplot", "dist", published)));
});

it("is deployed so too: the Worker before log-ins has none, and those behind are asked first", async () => {
  const assets = await withWorkers(async (workers) =>
    workers.map(({ part, configPath }) => [part, readConfig({ config: configPath }).assets?.run_worker_first]),
  );
  expect(Object.fromEntries(assets)).toEqual({
    records: undefined,
    control: undefined,
    management: true,
    dashboard: true,
    login: undefined,
  });
});
