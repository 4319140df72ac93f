import { expect, test } from "vitest";
import { addCounts, type Cell, type LedgerCounts, noCounts } from "../../src/model/ledger-counts.ts";

const cell: Cell = {
  epoch: 1,
  variation_id: "var_a",
  method: "auto",
  assigned: 10,
  before: 0,
  exposed: 9,
  exposed_edge: 9,
  exposed_custom: 0,
  returning: 1,
  logins: 5,
  signups: 0,
  failures: 1,
  passed: 2,
  settled: 8,
  settled_exposed: 7,
  silent: 1,
  finished: 5,
  finished_unexposed: 0,
  early: 0,
  at_once: 0,
  rehashed: 0,
  jumped: 0,
  jumped_configuration: 0,
  jumped_identity: 0,
  first_assigned_at: "2026-01-01T00:00:00.000Z",
  last_assigned_at: "2026-01-02T00:00:00.000Z",
  first_exposed_at: null,
  last_exposed_at: null,
};

const shards: LedgerCounts[] = [
  {
    ...noCounts,
    cells: [cell, { ...cell, epoch: 2 }],
    forced: 1,
    last_event_at: "2026-01-02T00:00:00.000Z",
    examples: { exposed: "u2", unexposed: "u9", events: "s" },
  },
  {
    ...noCounts,
    cells: [{ ...cell, first_assigned_at: "2025-12-31T00:00:00.000Z", last_exposed_at: "2026-01-03T00:00:00.000Z" }],
    forced: 2,
    share: 0.5,
    unassigned: [{ variation_id: "var_a", source: "ingest", units: 3 }],
    examples: { exposed: "u3", unexposed: "u4", events: "s" },
  },
  { ...noCounts, unassigned: [{ variation_id: "var_a", source: "ingest", units: 4 }] },
];

test("counts add up, times widen, and a slice is that of the smallest shard", () => {
  const sum = addCounts(shards);
  expect(sum.cells).toHaveLength(2);
  expect(sum.cells[0]).toMatchObject({
    epoch: 1,
    assigned: 20,
    logins: 10,
    passed: 4,
    first_assigned_at: "2025-12-31T00:00:00.000Z",
    last_assigned_at: "2026-01-02T00:00:00.000Z",
    first_exposed_at: null,
    last_exposed_at: "2026-01-03T00:00:00.000Z",
  });
  expect(sum).toMatchObject({
    forced: 3,
    share: 0.5,
    unassigned: [{ variation_id: "var_a", source: "ingest", units: 7 }],
    examples: { unexposed: "u4" },
    last_event_at: "2026-01-02T00:00:00.000Z",
  });
});

test("in whatever order shards answer, and however they are added up, they come to the same", () => {
  const [a, b, c] = shards as [LedgerCounts, LedgerCounts, LedgerCounts];
  const sum = addCounts(shards);
  expect(addCounts([c, a, b])).toEqual(sum);
  expect(addCounts([addCounts([b, c]), a])).toEqual(sum);
  expect(addCounts([])).toEqual(noCounts);
});
