import { beforeEach, expect, it, vi } from "vitest";
import { BreakerOpenError } from "../../src/assignment/breaker.ts";
import { createDependencies, type Dependencies, dependencyNames } from "../../src/assignment/dependencies.ts";

let nowMs: number;
let opened: string[];
let dependencies: Dependencies;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  nowMs = 1_000_000;
  opened = [];
  dependencies = createDependencies({
    now: () => nowMs,
    random: () => 0.5,
    slowMs: 100,
    onOpen: (name, part) => opened.push(part === undefined ? name : `${name} ${part}`),
  });
  return () => vi.useRealTimers();
});

const never = () => new Promise<never>(() => {});
const fail = () => Promise.reject(new Error("down"));
const throwAtOnce = (): Promise<never> => {
  throw new Error("broken");
};
async function failed(call: () => Promise<unknown>): Promise<unknown> {
  return dependencies.guard("kv", call).then(
    () => null,
    (error: unknown) => error,
  );
}

it.each([
  ["rejects", fail],
  ["throws at once", throwAtOnce],
])("opens the circuit of what %s, and of nothing else", async (_, call) => {
  for (let i = 0; i < 20; i++) await failed(call);
  expect(opened).toEqual(["kv"]);
  const asked = vi.fn(async () => 1);
  expect(await failed(asked)).toBeInstanceOf(BreakerOpenError);
  expect(asked).not.toHaveBeenCalled();
  for (const name of dependencyNames.filter((each) => each !== "kv")) {
    expect(dependencies.states()[name]).toBe("closed");
    expect(await dependencies.guard(name, async () => name)).toBe(name);
  }
});

it("counts a call as failed as soon as it is slow", async () => {
  const calls = Array.from({ length: 20 }, () => failed(never));
  vi.advanceTimersByTime(99);
  expect(dependencies.states().kv).toBe("closed");
  vi.advanceTimersByTime(1);
  expect(dependencies.states().kv).toBe("open");
  vi.advanceTimersByTime(5_000);
  await Promise.all(calls);
});

it("counts a slow call once, although it fails in the end", async () => {
  const calls = Array.from({ length: 19 }, () => failed(never));
  vi.advanceTimersByTime(5_000);
  await Promise.all(calls);
  expect(dependencies.states().kv).toBe("closed");
  await failed(fail);
  expect(dependencies.states().kv).toBe("open");
});

it("lets the caller go when there is no answer at all", async () => {
  const call = failed(never);
  vi.advanceTimersByTime(5_000);
  expect(String(await call)).toContain("kv did not answer");
});

it("gives a slow call's value to whoever still waits", async () => {
  let answer = (_: string) => {};
  const call = dependencies.guard("kv", () => new Promise<string>((resolve) => (answer = resolve)));
  vi.advanceTimersByTime(400);
  answer("late");
  expect(await call).toBe("late");
});

it("does not hold slowness against the queue, for which nobody waits", async () => {
  for (let i = 0; i < 20; i++) {
    let answer = () => {};
    const call = dependencies.guard("queue", () => new Promise<void>((resolve) => (answer = resolve)));
    vi.advanceTimersByTime(300);
    answer();
    await call;
  }
  expect(dependencies.states().queue).toBe("closed");
});

it("leaves no timer behind", async () => {
  await dependencies.guard("kv", async () => 1);
  await failed(fail);
  expect(vi.getTimerCount()).toBe(0);
});

it("has a circuit of its own for each part, and tells of a dependency the worst", async () => {
  const ask = (call: () => Promise<unknown>, part?: string) => dependencies.guard("jwks", call, part).catch(() => null);
  for (let i = 0; i < 20; i++) await ask(fail, "https://acme.example/jwks");
  expect(opened).toEqual(["jwks https://acme.example/jwks"]);
  expect(await ask(async () => 1, "https://acme.example/jwks")).toBeNull();
  expect(await ask(async () => 1, "https://globex.example/jwks")).toBe(1);
  expect(await ask(async () => 1)).toBe(1);
  expect(dependencies.states()).toMatchObject({ jwks: "open", kv: "closed" });
  nowMs += 10_000;
  expect(await ask(async () => 1, "https://acme.example/jwks")).toBe(1);
  expect(dependencies.states().jwks).toBe("closed");
});
