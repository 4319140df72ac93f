import { expect, it } from "vitest";
import { createLimiter } from "../../src/logs/limiter.ts";

it("lets twenty of a kind through in ten seconds", () => {
  let now = 1_000_000;
  const limiter = createLimiter(() => now);
  const admitted = Array.from({ length: 50 }, () => limiter.admit("a")).filter(Boolean).length;
  expect(admitted).toBe(20);
  expect(limiter.admit("b")).toBe(true);
  now += 10_001;
  expect(limiter.admit("a")).toBe(true);
});
