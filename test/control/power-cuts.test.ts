import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { scopes } from "../../src/model/token.ts";
import { createClient } from "../api/client.ts";
import { type Lives, modes, withLives } from "./lives.ts";

type Step =
  | { do: "commit" | "refuse" | "restart" | "land" }
  | { do: "pass"; ms: number }
  | { do: "kv"; mode: (typeof modes)[number] };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Step>({ do: "commit" }) },
  { weight: 3, arbitrary: fc.constantFrom<Step>({ do: "refuse" }, { do: "restart" }, { do: "land" }) },
  { weight: 3, arbitrary: fc.constantFrom(50, 900, 5_000, 12_000, 90_000).map((ms): Step => ({ do: "pass", ms })) },
  { weight: 2, arbitrary: fc.constantFrom(...modes).map((mode): Step => ({ do: "kv", mode })) },
);

async function take(lives: Lives, taken: Step): Promise<void> {
  switch (taken.do) {
    case "commit":
      return lives.commit();
    case "refuse":
      await expect(lives.run("get_segment", { params: { id: "seg_1" } })).rejects.toThrow("segment_not_found");
      return;
    case "restart":
      return lives.restart();
    case "land":
      return lives.kv.land();
    case "pass":
      return lives.pass(taken.ms);
    case "kv":
      lives.kv.mode = taken.mode;
  }
}

it(
  "whatever fails and stops, KV ends with what is committed, no version skipped or repeated",
  () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), (steps) =>
        withLives(async (lives) => {
          const { kv, run, pass } = lives;
          for (const each of steps) await take(lives, each);
          const commits = steps.filter((each) => each.do === "commit").length;

          kv.mode = "work";
          kv.land();
          await pass(5 * 60_000);
          const { version, snapshot, published, pending } = await run("get_snapshot");
          expect(version).toBe(commits);
          expect(pending).toBeNull();
          expect(lives.alarmAt()).toBeNull();
          expect(kv.held()).toEqual(snapshot);
          if (commits > 0) {
            expect(published).toMatchObject({ version: commits, bytes: kv.value?.length });
            expect(kv.metadata).toEqual({ version: commits });
          }
          // Asked for in order, however they landed.
          expect([...kv.asked].sort((a, b) => a - b)).toEqual(kv.asked);

          const rows = [...lives.storage.sql.exec("SELECT version, operation FROM change ORDER BY seq")];
          expect(rows).toEqual(
            Array.from({ length: commits }, (_, index) => ({ version: index + 1, operation: "create_segment" })),
          );
          expect((await run("get_segments", { query: { take: 50 } })).segments).toHaveLength(commits);
        }),
      ),
      { numRuns: 60 },
    ),
  120_000,
);

it("the object killed with the commit barely stored, its real alarm publishes into the real KV", async () => {
  const client = createClient();
  const answer = await runInDurableObject(client.control(), (control) =>
    control.execute({
      tenant: { id: client.tenant, activeLimit: 1, entitled: true, verifiesUsers: true, gateFlows: [] },
      credential: { actor: { name: "root", scopes } },
      scope: "create:experimentation",
      command: "create_segment",
      input: { params: {}, query: {}, body: { name: "Phones", rules: [{ match: { device_type: ["mobile"] } }] } },
      correlationId: "c",
      hostname: "admin.example.com",
    }),
  );
  expect(answer).toMatchObject({ ok: true });
  await abortAllDurableObjects();
  await vi.waitFor(async () => expect(await client.published()).toMatchObject({ version: 1 }), { timeout: 10_000 });
  expect(await client.get("/snapshot")).toMatchObject({ version: 1, published: { version: 1 }, pending: null });
});
