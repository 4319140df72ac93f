import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createDeadline } from "../../../src/cohorts/source/deadline.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const limits = { totalMs: 10_000, stallMs: 1_000 };
const never = () => new Promise<never>(() => {});

/** How it ended, once it has. */
function follow(work: Promise<unknown>): { end: unknown } {
  const followed: { end: unknown } = { end: "under way" };
  work.then(
    (value) => {
      followed.end = value;
    },
    (error: unknown) => {
      followed.end = error;
    },
  );
  return followed;
}

describe("a deadline", () => {
  it("ends a wait that is too long, at most a quarter late", async () => {
    for (const headStartMs of [0, 1, 249, 250, 251, 900]) {
      const deadline = createDeadline("the source", limits);
      await vi.advanceTimersByTimeAsync(headStartMs);
      const wait = follow(deadline.within(never()));
      await vi.advanceTimersByTimeAsync(999);
      expect(wait.end).toBe("under way");
      expect(deadline.signal.aborted).toBe(false);
      await vi.advanceTimersByTimeAsync(251);
      expect(wait.end).toMatchObject({ code: "stalled", message: "the source: no byte for 1 s" });
      expect(deadline.signal.reason).toBe(wait.end);
    }
  });

  it("does not count what is done between two waits", async () => {
    const deadline = createDeadline("the source", limits);
    expect(await deadline.within(Promise.resolve(1))).toBe(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await deadline.within(Promise.resolve(2))).toBe(2);
    expect(deadline.signal.aborted).toBe(false);
    deadline.end();
  });

  it("counts everything for the whole of it, and lets nothing begin after", async () => {
    const deadline = createDeadline("the source", limits);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(deadline.signal.aborted).toBe(true);
    await expect(deadline.within(Promise.resolve(1))).rejects.toMatchObject({
      code: "timeout",
      message: "the source: took more than 10 s",
    });
  });

  it("passes on what the work throws, unless that is for its own reason", async () => {
    const deadline = createDeadline("the source", limits);
    await expect(deadline.within(Promise.reject(new Error("lost")))).rejects.toThrow("lost");
    const outer = new AbortController();
    const other = createDeadline("the source", limits, outer.signal);
    const aborted = new Promise((_, reject) => {
      other.signal.addEventListener("abort", () => reject(new Error("aborted")));
    });
    const wait = follow(other.within(aborted));
    outer.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(wait.end).toMatchObject({ code: "cancelled" });
    deadline.end();
  });

  it("leaves no timer behind", async () => {
    const ended = createDeadline("the source", limits);
    await ended.within(Promise.resolve());
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    ended.end();
    expect(vi.getTimerCount()).toBe(0);

    createDeadline("the source", limits, AbortSignal.abort());
    expect(vi.getTimerCount()).toBe(0);

    const stalled = createDeadline("the source", limits);
    const wait = follow(stalled.within(never()));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(wait.end).toMatchObject({ code: "stalled" });
    expect(vi.getTimerCount()).toBe(0);
  });
});
