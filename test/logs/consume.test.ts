import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { expect, it, vi } from "vitest";
import { consume } from "../../src/logs/consume.ts";
import { createLimiter } from "../../src/logs/limiter.ts";

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

it("takes what it can read and sends the rest round again, so that it ends in the dead-letter queue", async () => {
  const lines = vi.spyOn(console, "log").mockImplementation(() => {});
  vi.spyOn(console, "error").mockImplementation(() => {});
  const messages = [{ kind: "event", event }, { kind: "event", event: { ...event, unit: 5 } }, "poison", null].map(
    (body, index) => ({ id: String(index), timestamp: new Date(0), attempts: 1, body }),
  );
  const batch = createMessageBatch("vestibule-events", messages);
  const ctx = createExecutionContext();
  consume(batch);
  const result = await getQueueResult(batch, ctx);
  expect(result.explicitAcks).toEqual(["0"]);
  expect(result.retryMessages.map(({ msgId }) => msgId)).toEqual(["1", "2", "3"]);
  expect(lines).toHaveBeenCalledWith(JSON.stringify({ message: "events", "assignment:exp_1": 1 }));
});

it("lets twenty of a kind through in ten seconds", () => {
  let now = 1_000_000;
  const limiter = createLimiter(() => now);
  const admitted = Array.from({ length: 50 }, () => limiter.admit("a")).filter(Boolean).length;
  expect(admitted).toBe(20);
  expect(limiter.admit("b")).toBe(true);
  now += 10_001;
  expect(limiter.admit("a")).toBe(true);
});
