import { beforeEach, expect, it } from "vitest";
import { createOpenings, type Openings } from "../../src/assignment/openings.ts";

let nowMs: number;
let openings: Openings;
beforeEach(() => {
  nowMs = 1_000_000;
  openings = createOpenings(() => nowMs);
});

it("are told to each tenant once, whoever comes first", () => {
  openings.add("kv");
  expect(openings.take("acme", [])).toEqual(["kv"]);
  expect(openings.take("acme", [])).toEqual([]);
  expect(openings.take("globex", [])).toEqual(["kv"]);
  openings.add("queue");
  openings.add("queue");
  for (const tenant of ["acme", "globex"]) expect(openings.take(tenant, [])).toEqual(["queue"]);
});

it("of a part are told to those alone whom it concerns", () => {
  openings.add("jwks", "https://acme.example/jwks");
  expect(openings.take("globex", ["https://globex.example/jwks"])).toEqual([]);
  expect(openings.take("initech", [])).toEqual([]);
  expect(openings.take("acme", ["https://acme.example/jwks"])).toEqual(["jwks"]);
});

it("are no news a minute later", () => {
  openings.add("kv");
  nowMs += 60_000;
  expect(openings.take("acme", [])).toEqual(["kv"]);
  nowMs += 1;
  expect(openings.take("globex", [])).toEqual([]);
});
