/** The object itself, behind its binding, with its own alarm. */
import {
  createExecutionContext,
  runDurableObjectAlarm,
  runInDurableObject,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import type { Cohorts } from "../../src/cohorts/cohorts.ts";
import type { CohortDefinition } from "../../src/model/cohort.ts";
import worker from "../../src/worker.ts";
import { createClient } from "../api/client.ts";
import { lines, pushed, range, streamOf } from "./stage.ts";

const { COHORTS } = bindings as unknown as { COHORTS: DurableObjectNamespace<Cohorts> };

function begin(...cohorts: CohortDefinition[]) {
  const client = createClient();
  const object = COHORTS.get(COHORTS.idFromName(client.tenant));
  return { client, object, sync: () => object.sync({ tenant: client.tenant, revision: 1, cohorts }) };
}

it("what is pushed is found, listed, and told to the tenant's control plane, whose snapshot points at it", async () => {
  const { client, object, sync } = begin(pushed("beta"));
  expect(await sync()).toBe(1);
  await client.post("/segments", { name: "Swiss", rules: [{ match: { country: ["CH"] } }] });
  const pushes = (mode: "add" | "remove", ids: string[]) =>
    object.push({ cohort: "coh_beta", mode, format: "ndjson", body: streamOf(lines(ids)) });
  expect(await pushes("add", range(0, 3_000))).toMatchObject({ ok: true, added: 3_000 });
  expect(await pushes("remove", range(0, 10))).toMatchObject({ ok: true, removed: 10 });
  expect(await object.find("coh_beta", "user-10")).toBe(true);
  expect(await object.find("coh_beta", "user-9")).toBe(false);
  expect(await object.status()).toMatchObject({ coh_beta: { state: "ok", size: 2_990 } });
  const list = await object.list("coh_beta");
  expect(await new Response(list?.body).json()).toMatchObject({ size: 2_990, memberIds: { length: 2_990 } });
  await vi.waitFor(
    async () => expect(await client.published()).toMatchObject({ cohorts: { ready: { coh_beta: { size: 2_990 } } } }),
    { timeout: 20_000, interval: 100 },
  );
}, 30_000);

it("an object whose alarm was lost is woken by the cron trigger", async () => {
  const { client, object, sync } = begin(pushed("beta"));
  await sync();
  await client.post("/segments", { name: "Swiss", rules: [{ match: { country: ["CH"] } }] });
  await object.push({ cohort: "coh_beta", mode: "add", format: "ndjson", body: streamOf(lines(["ann"])) });
  await runInDurableObject(object, (_, { storage }) => storage.deleteAlarm());
  expect(await runDurableObjectAlarm(object)).toBe(false);
  const ctx = createExecutionContext();
  await worker.scheduled({ cron: "*/10 * * * *", scheduledTime: Date.now(), noRetry() {} } as never, client.env);
  await waitOnExecutionContext(ctx);
  await vi.waitFor(
    async () => expect(await client.published()).toMatchObject({ cohorts: { ready: { coh_beta: { size: 1 } } } }),
    { timeout: 20_000, interval: 100 },
  );
}, 30_000);
