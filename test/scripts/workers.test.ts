import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { unstable_readConfig as readConfig } from "wrangler";
import { root } from "../../scripts/paths.ts";
import { findNamingFaults, parts, readConfiguration, type WorkerFile, withWorkers } from "../../scripts/workers.ts";

interface Bound {
  binding: string;
  script_name?: string;
  service?: string;
}

async function configOf({ part, configPath }: WorkerFile) {
  if (part === "login") return readConfiguration();
  return JSON.parse(await readFile(configPath, "utf8"));
}

const configs = await withWorkers((workers) => Promise.all(workers.map(configOf)));

it("each Worker is bound to those alone that are deployed before it", () => {
  const before = new Set<string>();
  for (const { name, durable_objects, services = [] } of configs) {
    const objects: Bound[] = durable_objects?.bindings ?? [];
    for (const { script_name, service } of [...objects, ...services] as Bound[]) {
      const called = script_name ?? service;
      if (called !== undefined) expect(before, `${name} is bound to ${called}`).toContain(called);
    }
    before.add(name);
  }
  expect(before.size).toBe(parts.length);
});

it("only the one before log-ins has an address, a schedule or a route", () => {
  for (const { name, workers_dev, preview_urls, routes, triggers } of configs.slice(0, -1)) {
    expect({ name, workers_dev, preview_urls, routes, triggers }).toEqual({
      name,
      workers_dev: false,
      preview_urls: false,
      routes: undefined,
      triggers: undefined,
    });
  }
});

it("all of a deployment's are named after wrangler.toml, and what is called otherwise is told, all of it", () => {
  const config = readConfiguration();
  expect(findNamingFaults(config)).toEqual([]);
  expect(findNamingFaults({ ...config, name: "gatehouse" })).toEqual([
    "wrangler.toml: MANAGEMENT must be bound to gatehouse-management (got vestibule-management)",
    "wrangler.toml: DASHBOARD must be bound to gatehouse-dashboard (got vestibule-dashboard)",
    "wrangler.toml: COHORTS must be bound to gatehouse-control (got vestibule-control)",
  ]);
  const bare = { ...config, services: [], kv_namespaces: [], queues: {} };
  expect(findNamingFaults(bare)).toEqual([
    expect.stringMatching(/MANAGEMENT.*got nothing/),
    expect.stringMatching(/DASHBOARD.*got nothing/),
    "wrangler.toml: kv_namespaces has no SNAPSHOTS",
    "wrangler.toml: queues.producers has no EVENTS",
  ]);
});

it("tests are bound to the same as the Workers together", () => {
  const kinds = ["kv_namespaces", "durable_objects", "queues", "assets"] as const;
  const names = (config: Partial<Record<(typeof kinds)[number], unknown>>) =>
    kinds.flatMap((kind) =>
      [...JSON.stringify(config[kind] ?? null).matchAll(/"(?:binding|name)":"([A-Z]+)"/g)].map(String),
    );
  const inTests = names(readConfig({ config: join(root, "test", "wrangler.toml") }));
  expect(new Set(inTests)).toEqual(new Set(configs.flatMap(names)));
});
