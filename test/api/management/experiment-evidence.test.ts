/** Report and diagnosis as they are answered: from events in the ledger, entries in the log, and the change log. */
import { createScheduledController } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createDelivery } from "../../../src/ledger/delivery.ts";
import { logbookOf } from "../../../src/logs/record.ts";
import type { VestibuleEvent } from "../../../src/model/event.ts";
import worker from "../../../src/worker.ts";
import { warning } from "../../logs/entry.ts";
import { type Client, createClient } from "../client.ts";
import { bodyOf, createExperiment, createFlag, type FlagStage, shares } from "../experiment-stage.ts";
import { visit } from "../visits.ts";

let client: Client;
let flag: FlagStage;
let id: string;
beforeEach(async () => {
  client = createClient();
  flag = await createFlag(client);
  id = (await createExperiment(client, "active", bodyOf(flag))).id;
});
afterEach(() => {
  vi.restoreAllMocks();
});

const report = (query = "") => client.get(`/experiments/${id}/report${query}`);
const diagnosis = (query = "") => client.get(`/experiments/${id}/diagnosis${query}`);
// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field.
const checkOf = (answer: any, name: string) =>
  [...answer.traffic, ...answer.setup, ...answer.srm].find((check) => check.id === name);
// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field.
const failing = (answer: any) =>
  [...answer.traffic, ...answer.setup, ...answer.srm].flatMap((check) => (check.status === "fail" ? check.id : []));

const atOf = (hoursAgo: number) => new Date(Date.now() - hoursAgo * 3_600_000).toISOString();

/** So many visitors for each variation, an hour ago unless said. */
function visitors(counts: readonly number[], changes: Partial<VestibuleEvent> = {}, name = "unit"): VestibuleEvent[] {
  return counts.flatMap((count, variation) => {
    const of = {
      tenant: client.tenant,
      experiment_id: id,
      variation_id: flag.variations[variation] ?? "",
      at: atOf(1),
      ...changes,
    };
    return Array.from({ length: count }, (_, unit) =>
      visit(`${name}-${variation}-${unit}`, { ...of, outcome: unit % 2 ? "s" : "f" }),
    ).flat();
  });
}

async function deliver(events: readonly VestibuleEvent[]): Promise<void> {
  expect((await createDelivery(client.env)(client.tenant, events)).every(Boolean)).toBe(true);
}

describe("the report", () => {
  it("has nothing to say of an experiment that nobody has seen", async () => {
    const answer = await report();
    expect(answer).toMatchObject({
      experiment_id: id,
      status: "active",
      partial: [],
      window: null,
      variations: [{ assignments: 0, is_control: true, share: 0.5 }, { assignments: 0 }],
      srm: { verdict: "not_enough_data", sequential: { p: 1, is_alert: false } },
      hours: [],
    });
    expect(answer.warnings.length).toBeGreaterThan(0);
  });

  it("is exactly what happened", async () => {
    await deliver([...visitors([60, 70]), ...visitors([1, 0], { method: "forced" }, "qa")]);
    const { variations, srm, excluded, hours } = await report();
    expect(variations).toMatchObject([
      {
        variation_id: flag.variations[0],
        assignments: 60,
        exposures: 60,
        logins: 30,
        failures: 30,
        rates: { login: { rate: 0.5 } },
      },
      { assignments: 70, exposures: 70, logins: 35, failures: 35, rates: { login: { difference: { estimate: 0 } } } },
    ]);
    expect(srm).toMatchObject({ units: 130, verdict: "green", chi_square: { df: 1 } });
    expect(excluded.forced).toBe(1);
    expect(hours.reduce((sum: number, { assigned }: { assigned: number }) => sum + assigned, 0)).toBe(130);
  });

  it("tests each epoch against its own weights", async () => {
    await deliver(visitors([100, 100]));
    await client.post(`/experiments/${id}/status`, { status: "paused" });
    await client.patch(`/experiments/${id}`, { allocations: shares(flag, [90, 10]) });
    await client.post(`/experiments/${id}/status`, { status: "active" });
    await deliver(visitors([180, 20], { epoch: 2 }, "later"));
    const { srm, epochs } = await report();
    expect(srm).toMatchObject({ units: 400, verdict: "green", chi_square: { df: 2 } });
    expect(epochs).toMatchObject([
      {
        epoch: 1,
        shares: { [flag.variations[0]]: 0.5 },
        assignments: { [flag.variations[1]]: 100 },
        to: expect.any(String),
      },
      { epoch: 2, shares: { [flag.variations[0]]: 0.9 }, assignments: { [flag.variations[1]]: 20 }, to: null },
    ]);
    expect(failing(await diagnosis())).toEqual(["traffic_split_changed"]);
  });

  it("looks at a part of the time, and refuses one that ends before it begins", async () => {
    await deliver([...visitors([10, 10], { at: atOf(50) }), ...visitors([5, 5], {}, "later")]);
    expect((await report(`?from=${atOf(2)}`)).variations).toMatchObject([{ assignments: 5 }, { assignments: 5 }]);
    const { status, body } = await client.send("GET", `/experiments/${id}/report?from=${atOf(1)}&to=${atOf(2)}`);
    expect([status, body.errorCode]).toEqual([400, "invalid_query_string"]);
  });

  it("keeps the lowest p there ever was", async () => {
    await deliver(visitors([500, 100]));
    const { p } = (await report()).srm.sequential;
    expect(p).toBeLessThan(0.01);
    await deliver(visitors([0, 400], {}, "later"));
    const { srm } = await report();
    expect(srm.sequential).toMatchObject({ p, is_alert: true });
    expect(srm.sequential.log_bayes_factor).toBeLessThan(-Math.log(p));
  });

  it("says what it could not reach", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    Object.assign(client.env, { LEDGER: { idFromName: () => "", get: () => ({}) } });
    expect(await report()).toMatchObject({ partial: [{ source: "ledger" }], variations: [{ assignments: 0 }, {}] });
    const answer = await diagnosis();
    expect(answer.partial.map(({ source }: { source: string }) => source).sort()).toEqual(["ledger", "verdicts"]);
    expect(checkOf(answer, "experiment_active").status).toBe("pass");
  });
});

describe("the diagnosis", () => {
  it("fails nothing of an experiment that is well", async () => {
    await deliver(visitors([150, 160]));
    const answer = await diagnosis();
    expect(failing(answer)).toEqual([]);
    expect(answer).toMatchObject({ leading: null, verdict: "green", partial: [] });
  });

  it("says that it is paused, that its flag is archived, that another has its place", async () => {
    await client.post(`/experiments/${id}/status`, { status: "paused" });
    expect(await diagnosis()).toMatchObject({ leading: "experiment_active" });
    const other = await createFlag(client, { name: "Another page" });
    await createExperiment(client, "active", bodyOf(other, { name: "Another" }));
    const taken = await diagnosis();
    expect(failing(taken)).toEqual(["another_active"]);
    expect(checkOf(taken, "another_active").evidence.active).toMatchObject([{ name: "Another" }]);
  });

  it("is told to a tenant that is not entitled, of whom nothing else is answered", async () => {
    const settings = { hosts: ["admin.example.com"], origin: "https://id.example.com", entitled: false };
    client.env = { ...client.env, TENANTS: JSON.stringify({ [client.tenant]: settings }) };
    const same = createClient({ vars: { TENANTS: client.env.TENANTS } });
    const { status, body } = await same.send("GET", `/experiments/${id}/diagnosis`);
    expect([status, body.leading]).toEqual([200, "entitled"]);
    expect((await same.send("GET", `/experiments/${id}/report`)).body.errorCode).toBe("feature_not_entitled");
  });

  it("knows from the log that the circuit was open", async () => {
    const date = new Date(Date.now() - 60_000).toISOString();
    await logbookOf(client.env, client.tenant).record([warning("experiment_circuit_open", { log_id: "open", date })]);
    expect(await diagnosis()).toMatchObject({ leading: "circuit_closed" });
  });

  it("finds exposures that nobody was assigned to", async () => {
    await deliver([
      ...visitors([200, 200]),
      ...visitors([90, 0], { source: "ingest" }, "stray").filter(({ type }) => type === "exposure"),
    ]);
    const answer = await diagnosis();
    expect(answer.leading).toBe("fallback_counted");
    expect(checkOf(answer, "fallback_counted").evidence.unassigned).toEqual({ [flag.variations[0]]: 90 });
  });

  it("goes by the tenant's thresholds", async () => {
    client = createClient({ tenant: { diagnosis: { min_units: 10 } } });
    flag = await createFlag(client);
    id = (await createExperiment(client, "active", bodyOf(flag))).id;
    await deliver(visitors([40, 10]));
    const answer = await diagnosis();
    expect(answer.verdict).toBe("red");
    expect(checkOf(answer, "variant_jumping").threshold.min_units).toBe(10);
  });
});

describe("the hourly look", () => {
  const look = (minutes: number) =>
    worker.scheduled(
      createScheduledController({ scheduledTime: new Date(Date.UTC(2030, 0, 1, 10, minutes)), cron: "*/10 * * * *" }),
      client.env,
    );

  it("tells of a mismatch in the log, under one id", async () => {
    const sent: { entry: { log_id: string; details: object } }[] = [];
    Object.assign(client.env, { EVENTS: { send: async (message: never) => void sent.push(message) } });
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    await deliver(visitors([60, 60]));
    await look(0);
    expect(sent).toEqual([]);
    await deliver(visitors([500, 100], {}, "later"));
    await look(20);
    expect(sent).toEqual([]);
    await look(0);
    await look(1);
    expect(sent.map(({ entry }) => entry.log_id)).toEqual([`srm-${id}`, `srm-${id}`]);
    expect(sent[0]?.entry).toMatchObject({
      type: "w",
      tenant_name: client.tenant,
      details: { code: "experiment_sample_ratio_mismatch" },
    });
    expect(warn).toHaveBeenCalledTimes(2);
  });
});
