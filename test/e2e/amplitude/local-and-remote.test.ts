/** What Amplitude's Node SDK makes of our flags by itself is what we give it when it asks. */
import { Experiment } from "@amplitude/experiment-node-server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createUsers, everything } from "./everything.ts";
import { type House, startHouse } from "./house.ts";

/** `USERS=100000 npm test -- test/e2e/amplitude` for more. */
const userCount = Number(process.env.USERS || 10_000);
const atOnce = 40;

let house: House;
beforeAll(async () => {
  house = await startHouse(everything);
  await house.replaceMembers("coh_Members", ["user-1", "user-7", "user-ü-5-吉", "user-12"]);
});
afterAll(() => house.close());

type Variants = Record<string, { key?: string; payload?: unknown; metadata?: Record<string, unknown> }>;

it(`local equals remote, for ${userCount} users over flags with everything`, { timeout: 300_000 }, async () => {
  const { directUrl: url, keys } = house;
  const key = keys["Back end"] ?? "";
  const headers = { authorization: `Api-Key ${key}`, "x-amp-exp-track": "no-track" };
  const ask = async (user: object): Promise<Variants> => {
    const encoded = Buffer.from(JSON.stringify(user)).toString("base64url");
    const response = await fetch(`${url}/sdk/v2/vardata?v=0`, { headers: { ...headers, "x-amp-exp-user": encoded } });
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    return response.json() as Promise<Variants>;
  };
  const local = Experiment.initializeLocal(key, {
    serverUrl: url,
    cohortSyncConfig: { apiKey: key, secretKey: key, cohortServerUrl: url },
  });
  await local.start();
  const users = createUsers(userCount);
  const seen = new Map<string, Set<string>>();
  const differing: unknown[] = [];
  const compare = async (user: object) => {
    const remote = await ask(user);
    const own = Object.entries(local.evaluateV2(structuredClone(user)) as Variants);
    const deployed = own.filter(([, { metadata }]) => metadata?.deployed !== false);
    const told = (variants: Variants) =>
      Object.fromEntries(
        Object.entries(variants)
          .sort(([one], [other]) => (one < other ? -1 : 1))
          .map(([flag, { key: variant, payload, metadata = {} }]) => {
            const { evaluationMode: _, ...rest } = metadata;
            return [flag, { variant, payload, metadata: rest }];
          }),
      );
    for (const [flag, { key: variant = "" }] of Object.entries(remote)) {
      seen.set(flag, (seen.get(flag) ?? new Set()).add(variant));
    }
    const [one, other] = [told(Object.fromEntries(deployed)), told(remote)];
    if (JSON.stringify(one) !== JSON.stringify(other)) differing.push({ user, local: one, remote: other });
  };
  const queue = users.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const user of queue) await compare(user);
    }),
  );
  local.stop();
  expect(differing.slice(0, 1)).toEqual([]);
  // Each flag gave more than one variant, or nothing was compared.
  for (const [flag, variants] of seen) expect([flag, variants.size > 1]).toEqual([flag, true]);
  expect(seen.size).toBe(everything.feature_flags?.filter(({ key }) => key !== "unseen").length);
});
