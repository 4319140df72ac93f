import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { type Breaker, createBreaker } from "../../src/assignment/breaker.ts";

const startMs = 1_000_000;
let nowMs: number;
let jitter: number;
let openings: number;
let breaker: Breaker;

beforeEach(() => {
  nowMs = startMs;
  jitter = 0.5;
  openings = 0;
  breaker = createBreaker({ now: () => nowMs, random: () => jitter, onOpen: () => openings++ });
});

function call(ok: boolean): boolean {
  const end = breaker.admit();
  end?.(ok);
  return end !== null;
}
const calls = (count: number, ok: boolean) => Array.from({ length: count }, () => call(ok));
const openNow = () => calls(20, false);
/** How long it stays shut from now on, to the millisecond. */
function pauseFromNow(): number {
  const from = nowMs;
  for (; nowMs < from + 60_000; nowMs++) if (breaker.state() !== "open") break;
  return nowMs - from;
}

describe("opening", () => {
  it("takes 20 calls, however many of them fail", () => {
    calls(19, false);
    expect(breaker.state()).toBe("closed");
    call(false);
    expect(breaker.state()).toBe("open");
    expect(openings).toBe(1);
  });

  it("takes half of the calls failing", () => {
    calls(11, true);
    calls(10, false);
    expect(breaker.state()).toBe("closed");
    call(false);
    expect(breaker.state()).toBe("open");
  });

  it("counts the last ten seconds only", () => {
    calls(10, false);
    nowMs += 10_000;
    calls(19, false);
    expect(breaker.state()).toBe("closed");
    nowMs += 8_999;
    call(false);
    expect(breaker.state()).toBe("open");
  });

  it("forgets a bucket that the ring comes round to", () => {
    for (let second = 0; second < 30; second++) {
      calls(1, false);
      nowMs += 1_000;
    }
    expect(breaker.state()).toBe("closed");
  });
});

describe("while open", () => {
  it("admits nothing before its pause is over, then a single probe", () => {
    openNow();
    nowMs += 999;
    expect(breaker.admit()).toBeNull();
    nowMs += 1;
    expect(breaker.state()).toBe("half_open");
    expect(breaker.admit()).not.toBeNull();
    expect(breaker.admit()).toBeNull();
  });

  it("closes when the probe succeeds, with a clean slate", () => {
    openNow();
    nowMs += 1_000;
    call(true);
    expect(breaker.state()).toBe("closed");
    calls(19, false);
    expect(breaker.state()).toBe("closed");
    call(false);
    expect(breaker.state()).toBe("open");
    expect(openings).toBe(2);
  });

  it("doubles its pause at each failed probe, to 30 s, and starts over once closed", () => {
    openNow();
    const pauses = [];
    for (let probe = 0; probe < 7; probe++) {
      pauses.push(pauseFromNow());
      expect(call(false)).toBe(true);
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(openings).toBe(1);
    pauseFromNow();
    call(true);
    openNow();
    expect(pauseFromNow()).toBe(1_000);
  });

  it.each([
    [0, 800],
    [1, 1_200],
  ])("jitters by a fifth (%d)", (random, pause) => {
    jitter = random;
    openNow();
    expect(pauseFromNow()).toBe(pause);
  });

  it("never pauses longer than 30 s", () => {
    jitter = 1;
    openNow();
    for (let probe = 0; probe < 8; probe++) {
      expect(pauseFromNow()).toBeLessThanOrEqual(30_000);
      call(false);
    }
  });

  it("forgets a probe that never answers, and lets another through", () => {
    openNow();
    nowMs += 1_000;
    const lost = breaker.admit();
    nowMs += 1_999;
    expect(breaker.admit()).toBeNull();
    nowMs += 1;
    const second = breaker.admit();
    expect(second).not.toBeNull();
    lost?.(false);
    expect(breaker.state()).toBe("half_open");
    second?.(true);
    expect(breaker.state()).toBe("closed");
  });
});

describe("calls that began before", () => {
  it.each([true, false])("it opened do not end the probe's wait (%s)", (ok) => {
    const early = breaker.admit();
    openNow();
    nowMs += 1_000;
    const probe = breaker.admit();
    early?.(ok);
    expect(breaker.state()).toBe("half_open");
    expect(breaker.admit()).toBeNull();
    probe?.(true);
    expect(breaker.state()).toBe("closed");
  });

  it("it closed again count for nothing", () => {
    const early = Array.from({ length: 20 }, () => breaker.admit());
    openNow();
    nowMs += 1_000;
    call(true);
    for (const end of early) end?.(false);
    expect(breaker.state()).toBe("closed");
  });
});

it("takes a call's first word only", () => {
  const ends = Array.from({ length: 10 }, () => breaker.admit());
  for (const end of ends) {
    end?.(false);
    end?.(false);
    end?.(true);
  }
  expect(breaker.state()).toBe("closed");
  calls(10, false);
  expect(breaker.state()).toBe("open");
});

it("never admits two at a time while it is not closed, whatever comes", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("call" as const), ok: fc.boolean() }),
    fc.record({ do: fc.constant("begin" as const) }),
    fc.record({ do: fc.constant("end" as const), ok: fc.boolean() }),
    fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 1_900 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      nowMs = startMs;
      breaker = createBreaker({ now: () => nowMs, random: () => 0.5, probeMs: Number.POSITIVE_INFINITY });
      openNow();
      let waiting: ((ok: boolean) => void)[] = [];
      for (const each of steps) {
        const wasClosed = breaker.state() === "closed";
        if (wasClosed) waiting = [];
        if (each.do === "wait") nowMs += each.ms;
        else if (each.do === "end") waiting.pop()?.(each.ok);
        else {
          const end = breaker.admit();
          if (wasClosed) expect(end).not.toBeNull();
          if (end && !wasClosed) {
            expect(waiting).toHaveLength(0);
            if (each.do === "call") end(each.ok);
            else waiting.push(end);
          } else if (each.do === "call") end?.(each.ok);
        }
      }
    }),
  );
});
