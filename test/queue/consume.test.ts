import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { beforeEach, expect, it, vi } from "vitest";
import type { VestibuleEvent } from "../../src/model/event.ts";
import type { LogEntry } from "../../src/model/log-entry.ts";
import { consume, type Sinks } from "../../src/queue/consume.ts";

const event = {
  id: "e1",
  tenant: "default",
  type: "assignment",
  at: "2026-01-01T00:00:00.000Z",
  experiment_id: "exp_1",
  unit: "u",
  subject_kind: "device",
  source: "gate",
  attributes: {},
};
const entry = {
  log_id: "1",
  date: "2026-01-01T00:00:00.000Z",
  type: "s",
  description: "Success Login",
  hostname: "login.test",
  tenant_name: "default",
  details: {},
};
const ofEvent = (given: object = {}) => ({ kind: "event", event: { ...event, ...given } });
const ofEntry = (given: object = {}) => ({ kind: "log", entry: { ...entry, ...given } });

let lines: string[];
let errors: string[];
beforeEach(() => {
  lines = [];
  errors = [];
  vi.spyOn(console, "log").mockImplementation((line) => void lines.push(line));
  vi.spyOn(console, "error").mockImplementation((line) => void errors.push(line));
});

const takesAll: Sinks = { deliver: async (_, events) => events.map(() => true), record: async () => {} };

async function run(bodies: unknown[], sinks: Partial<Sinks> = {}, attempts = 1) {
  const messages = bodies.map((body, index) => ({ id: String(index), timestamp: new Date(0), attempts, body }));
  const batch = createMessageBatch("vestibule-events", messages);
  const delays = new Map<string, number>();
  for (const message of batch.messages) {
    vi.spyOn(message, "retry").mockImplementation((options) => {
      delays.set(message.id, options?.delaySeconds ?? 0);
    });
  }
  await consume(batch, { ...takesAll, ...sinks });
  const { explicitAcks } = await getQueueResult(batch, createExecutionContext());
  return { taken: explicitAcks, again: [...delays] };
}

it("takes what it can read and sends the rest round again, so that it ends in the dead-letter queue", async () => {
  const { taken, again } = await run([ofEvent(), ofEvent({ unit: 5 }), "poison", null, ofEntry()]);
  expect(taken.toSorted()).toEqual(["0", "4"]);
  expect(again.map(([id]) => id)).toEqual(["1", "2", "3"]);
  expect(lines).toEqual([
    JSON.stringify(entry),
    JSON.stringify({ message: "events", "assignment:exp_1": 1, "log:s": 1 }),
  ]);
  expect(errors).toHaveLength(3);
});

it("a poison message is told once, not at each of its retries", async () => {
  await run(["poison"], {}, 2);
  expect(errors).toEqual([]);
});

it("each tenant's messages are handed over in one call, and what is not counted comes again later and later", async () => {
  const calls: [string, number][] = [];
  const deliver = async (tenant: string, events: readonly VestibuleEvent[]) => {
    calls.push([tenant, events.length]);
    return events.map(({ unit }) => unit !== "lost");
  };
  const bodies = [ofEvent(), ofEvent({ tenant: "acme" }), ofEvent({ unit: "lost" }), ofEvent()];
  const { taken, again } = await run(bodies, { deliver });
  expect(calls).toEqual([
    ["default", 3],
    ["acme", 1],
  ]);
  expect(taken.toSorted()).toEqual(["0", "1", "3"]);
  expect(again).toEqual([["2", 5]]);
  expect((await run(bodies, { deliver }, 4)).again).toEqual([["2", 40]]);
  expect((await run(bodies, { deliver }, 30)).again).toEqual([["2", 900]]);
});

it("one tenant's log that is out of reach makes its own entries come again, and nothing else", async () => {
  const record = async (tenant: string, _: readonly LogEntry[]) => {
    if (tenant === "acme") throw new Error("down");
  };
  const { taken, again } = await run([ofEntry({ tenant_name: "acme" }), ofEntry(), ofEvent({ tenant: "acme" })], {
    record,
  });
  expect(taken.toSorted()).toEqual(["1", "2"]);
  expect(again).toEqual([["0", 5]]);
});

it("a sink that breaks altogether is as good as one that is out of reach", async () => {
  const deliver = () => Promise.reject(new Error("broken"));
  expect((await run([ofEvent(), ofEntry()], { deliver })).again).toEqual([["0", 5]]);
});
