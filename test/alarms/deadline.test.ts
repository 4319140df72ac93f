import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { atMost, within } from "../../src/alarms/deadline.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What has become of a promise so far. */
function follow(work: Promise<unknown>) {
  const state: { outcome?: unknown } = {};
  work.then(
    (value) => Object.assign(state, { outcome: value ?? "done" }),
    (error) => Object.assign(state, { outcome: error.message }),
  );
  return state;
}
const never = () => new Promise<never>(() => {});

it("what comes in time is passed on, and no timer is left", async () => {
  expect(await within(100, Promise.resolve(1))).toBe(1);
  await expect(within(100, Promise.reject(new Error("down")))).rejects.toThrow("down");
  await atMost(100, Promise.resolve());
  await expect(atMost(100, Promise.reject(new Error("down")))).rejects.toThrow("down");
  expect(vi.getTimerCount()).toBe(0);
});

it("what does not come is given up on, to the millisecond", async () => {
  const [asked, awaited] = [follow(within(100, never())), follow(atMost(100, never()))];
  await vi.advanceTimersByTimeAsync(99);
  expect([asked, awaited]).toEqual([{}, {}]);
  await vi.advanceTimersByTimeAsync(1);
  expect([asked, awaited]).toEqual([{ outcome: "no answer in 100 ms" }, { outcome: "done" }]);
});

it.each(["resolves", "rejects"])("who watches is told of what is given up on and %s after all", async (how) => {
  const told: string[] = [];
  const watch = { onGivenUp: () => void told.push("given up"), onLate: () => void told.push("late") };
  const late = Promise.withResolvers<void>();
  const asked = follow(within(100, late.promise, watch));
  await vi.advanceTimersByTimeAsync(100);
  expect([asked.outcome, told]).toEqual(["no answer in 100 ms", ["given up"]]);
  if (how === "resolves") late.resolve();
  else late.reject(new Error("lost"));
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(["given up", "late"]);

  told.length = 0;
  await within(100, Promise.resolve(), watch);
  await vi.advanceTimersByTimeAsync(200);
  expect(told).toEqual([]);
});
