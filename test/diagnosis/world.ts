/** An experiment and its visitors, made up and counted as the ledger would: what the tests of the diagnosis take for the truth. */
import type { Evidence } from "../../src/diagnosis/scene.ts";
import type { Epoch } from "../../src/model/epoch-history.ts";
import type { ExperimentRecord } from "../../src/model/experiment-record.ts";
import {
  type AttributeCell,
  addCounts,
  type Cell,
  type FirstMethod,
  type LedgerCounts,
  noCounts,
} from "../../src/model/ledger-counts.ts";
import { createRandom } from "../engine/random.ts";

export const startMs = Date.parse("2026-03-02T00:00:00.000Z");
const dayMs = 86_400_000;
const hourMs = 3_600_000;
const minuteMs = 60_000;
export const days = 14;
export const nowMs = startMs + days * dayMs;
export const iso = (ms: number) => new Date(ms).toISOString();

export interface Exposure {
  atMs: number;
  variation: string;
  epoch: number;
  source: "gate" | "native" | "ingest";
}

export interface Visitor {
  variation: string;
  epoch: number;
  method: FirstMethod;
  assignedMs: number;
  exposures: Exposure[];
  outcomes: string[];
  attributes: Record<string, string>;
  rehashed: boolean;
  isLinked: boolean;
  missing: string[];
  placebo: readonly [0 | 1, 0 | 1];
}

export interface World {
  record: ExperimentRecord;
  visitors: Visitor[];
  unassigned: LedgerCounts["unassigned"];
  links: LedgerCounts["links"];
  /** What the rest of the evidence is, where it is not that of a healthy tenant. */
  others: Partial<Evidence>;
}

export const names = ["Control", "Treatment", "Second treatment"];
export const variationId = (index: number) => `var_${"abc"[index]}`;

const record = (weights: readonly number[]): ExperimentRecord => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return {
    experiment: {
      id: "exp_1",
      name: "Warmer login",
      feature_flag_id: "flg_1",
      authentication_flow: "authentication",
      allocation_strategy: "percentage",
      assignment_config: { subject: "device" },
      status: "active",
      allocations: weights.map((weight, index) => ({
        variation_id: variationId(index),
        is_control: index === 0,
        weight,
      })),
      epoch: 1,
      started_at: iso(startMs),
      created_at: iso(startMs),
      updated_at: iso(startMs),
    },
    flag: { id: "flg_1", name: "Login page", key: "login-page", status: "active", deployments: ["gate", "dep_1"] },
    variations: weights.map((_, index) => ({
      id: variationId(index),
      name: names[index] ?? "",
      key: `v${index}`,
      is_control: index === 0,
    })),
    errors: [],
    is_entitled: true,
    verifies_users: false,
    gate_flows: ["authentication"],
    active_limit: 1,
    others_active: [],
    epochs: [epoch(1, startMs, null, Object.fromEntries(weights.map((w, index) => [variationId(index), w / total])))],
    levels: [{ at: iso(startMs), level: 100 }],
    sticky_toggles: [],
    ended_before: [{ id: "exp_0", name: "An A/A" }],
    deployments: [{ id: "dep_1", name: "App", type: "client" }],
    segments: [],
    cohorts: [{ id: "coh_1", name: "Beta testers", is_fetched: true, refresh_minutes: 60 }],
    properties: ["plan"],
    pending: null,
  };
};

export function epoch(number: number, fromMs: number, toMs: number | null, shares: Record<string, number>): Epoch {
  return { epoch: number, from: iso(fromMs), to: toMs === null ? null : iso(toMs), shares };
}

/** The variation whose stretch of the weights' sum holds `at`. */
function drawn(weights: readonly number[], at: number): string {
  let end = 0;
  return variationId(
    weights.findIndex((weight) => {
      end += weight;
      return at < end;
    }),
  );
}

export interface WorldOptions {
  seed?: number;
  visitors?: number;
  weights?: readonly number[];
}

/** In which nothing is wrong. */
export function healthyWorld({ seed = 1, visitors = 10_000, weights = [50, 50] }: WorldOptions = {}): World {
  const random = createRandom(seed);
  const chance = (share: number) => random(1_000_000) < share * 1_000_000;
  const pick = <Item>(...items: Item[]) => items[random(items.length)] as Item;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const draw = () => drawn(weights, random(total));
  return {
    record: record(weights),
    visitors: Array.from({ length: visitors }, (_, index) => {
      const variation = draw();
      const assignedMs = startMs + Math.floor((index / visitors) * days * dayMs);
      const isApp = chance(0.3);
      const source = isApp ? "native" : "gate";
      const atMs = assignedMs + 200;
      const isExposed = chance(0.95);
      const isBack = chance(0.2);
      const exposure = { variation, epoch: 1, source } as const;
      return {
        variation,
        epoch: 1,
        method: "auto",
        assignedMs,
        exposures: isExposed ? [{ ...exposure, atMs }, ...(isBack ? [{ ...exposure, atMs: atMs + dayMs }] : [])] : [],
        outcomes: isExposed && chance(0.6) ? [chance(0.1) ? "f" : "s"] : [],
        attributes: {
          source,
          deployment: isApp ? "dep_1" : "(none)",
          country: pick("DE", "FR", "US"),
          browser: isApp ? "(none)" : pick("chrome", "chrome", "safari", "firefox"),
          platform: pick("ios", "android", "windows"),
          bot: "false",
          colo: pick("FRA", "CDG", "IAD"),
          segment: "(none)",
        },
        rehashed: false,
        isLinked: false,
        missing: [],
        placebo: [pick(0, 1), pick(0, 1)],
      } satisfies Visitor;
    }),
    unassigned: [],
    links: weights.map((_, index) => ({
      variation_id: variationId(index),
      users: 2000,
      with_two: 100,
      with_three: 20,
    })),
    others: {},
  };
}

/** The world from `atMs` on, in a new epoch with other shares: who comes later is drawn anew. */
export function reweigh(world: World, atMs: number, weights: readonly number[], seed = 2): void {
  const random = createRandom(seed);
  const { epochs } = world.record;
  const last = epochs.at(-1) as Epoch;
  const next = last.epoch + 1;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = Object.fromEntries(weights.map((weight, index) => [variationId(index), weight / total]));
  const begun = epoch(next, atMs, null, shares);
  world.record = {
    ...world.record,
    experiment: { ...world.record.experiment, epoch: next },
    variations: weights.map((_, index) => ({
      id: variationId(index),
      name: names[index] ?? "",
      key: `v${index}`,
      is_control: index === 0,
    })),
    epochs: [...epochs.slice(0, -1), { ...last, to: iso(atMs) }, begun],
  };
  for (const visitor of world.visitors) {
    if (visitor.assignedMs < atMs) continue;
    const variation = drawn(weights, random(total));
    visitor.epoch = next;
    visitor.variation = variation;
    visitor.exposures = visitor.exposures.map((exposure) => ({ ...exposure, variation, epoch: next }));
  }
}

/** As shards that hold a part of the units each would count them. */
export function shardsOf(world: World, count: number, window: Evidence["window"] = null): LedgerCounts[] {
  return Array.from({ length: count }, (_, shard) => ({
    ...counted(
      world.visitors.filter((_, index) => index % count === shard),
      window,
    ),
    ...(shard > 0 ? {} : { unassigned: world.unassigned, links: world.links }),
  }));
}

export function evidenceOf(world: World, window: Evidence["window"] = null): Evidence {
  const zero = { s: 0, ss: 0, f: 0, fs: 0, pass_throughs: 0 };
  return {
    record: world.record,
    counts: addCounts(shardsOf(world, 1)),
    window,
    windowed: window === null ? null : addCounts(shardsOf(world, 1, window)),
    log: { lately: {}, day: {}, outcomes: { ...zero, s: 900 }, unassigned: zero },
    cohorts: { coh_1: { refreshed_at: iso(nowMs - 20 * minuteMs), error: null, failures: 0 } },
    verdicts: [{ experiment_id: "exp_0", verdict: "green" }],
    nowMs,
    ...world.others,
  };
}

function counted(visitors: readonly Visitor[], window: Evidence["window"]): LedgerCounts {
  const from = Date.parse(window?.from ?? "") || Number.NEGATIVE_INFINITY;
  const to = Date.parse(window?.to ?? "") || Number.POSITIVE_INFINITY;
  const within = (atMs: number) => atMs >= from && atMs < to;
  const parts = visitors.flatMap((visitor): LedgerCounts[] => {
    const exposures = visitor.exposures.filter(({ atMs }) => within(atMs));
    if (!within(visitor.assignedMs) && exposures.length === 0) return [];
    return [countOne(visitor, exposures, visitor.assignedMs < from)];
  });
  return tallied(parts);
}

type Row = Record<string, unknown>;

const keysOf = {
  cells: ["epoch", "variation_id", "method"],
  attributes: ["name", "value", "epoch", "variation_id"],
  placebos: ["bit", "value"],
  missing: ["property", "platform"],
  kinds: ["type", "subject_kind"],
  hours: ["hour", "variation_id"],
} as const;

/** Thousands of single units at once: `addCounts` is made for a few shards. */
function tallied(parts: readonly LedgerCounts[]): LedgerCounts {
  const lists = Object.entries(keysOf).map(([list, fields]) => {
    const rows = new Map<string, Row>();
    for (const part of parts) {
      for (const row of part[list as keyof typeof keysOf] as readonly unknown[] as readonly Row[]) {
        const key = fields.map((field) => row[field]).join();
        const known = rows.get(key);
        if (known === undefined) rows.set(key, { ...row });
        else for (const field of Object.keys(row)) if (!fields.includes(field as never)) put(known, field, row[field]);
      }
    }
    return [list, [...rows.values()]];
  });
  const times = parts.map(({ last_event_at }) => last_event_at ?? "").sort();
  return { ...noCounts, ...Object.fromEntries(lists), last_event_at: times.at(-1) ?? null };
}

function put(row: Row, field: string, value: unknown): void {
  const known = row[field];
  if (typeof known === "number") row[field] = known + Number(value);
  else if (value !== null) {
    const [before, after] = [String(known ?? value), String(value)];
    row[field] = field.startsWith("first_") === after < before ? after : before;
  }
}

function countOne(visitor: Visitor, exposures: readonly Exposure[], isBefore: boolean): LedgerCounts {
  const { assignedMs, variation, epoch: number, method, outcomes, attributes, placebo } = visitor;
  const one = (is: boolean) => (is ? 1 : 0);
  const [first] = exposures;
  const last = exposures.at(-1);
  const isExposed = first !== undefined;
  const isSettled = assignedMs <= nowMs - 30 * minuteMs;
  const isFinished = outcomes.some((outcome) => outcome !== "p");
  const isPassed = outcomes.includes("p");
  const custom = exposures.find(({ source }) => source === "ingest");
  const variations = new Set(exposures.map((exposure) => exposure.variation));
  const isJumped = variations.size > 1;
  const byConfiguration = isJumped && new Set(exposures.map((exposure) => exposure.epoch)).size > 1;
  const hour = iso(Math.floor(assignedMs / hourMs) * hourMs);
  const cell: Cell = {
    epoch: number,
    variation_id: variation,
    method,
    assigned: 1,
    before: one(isBefore),
    exposed: one(isExposed),
    exposed_edge: one(exposures.some(({ source }) => source !== "ingest")),
    exposed_custom: one(custom !== undefined),
    returning: one(first !== undefined && last !== undefined && last.atMs - first.atMs >= hourMs),
    logins: one(outcomes.includes("s")),
    signups: one(outcomes.includes("ss")),
    failures: one(outcomes.includes("f") || outcomes.includes("fs")),
    passed: one(isPassed),
    settled: one(isSettled),
    settled_exposed: one(isSettled && isExposed),
    silent: one(isSettled && !isExposed && !isFinished && !isPassed),
    finished: one(isFinished),
    finished_unexposed: one(isFinished && !isExposed),
    early: one(first !== undefined && first.atMs < assignedMs),
    at_once: one(custom !== undefined && Math.abs(custom.atMs - assignedMs) <= 1000),
    rehashed: one(visitor.rehashed),
    jumped: one(isJumped),
    jumped_configuration: one(byConfiguration),
    jumped_identity: one(isJumped && !byConfiguration && visitor.isLinked),
    first_assigned_at: iso(assignedMs),
    last_assigned_at: iso(assignedMs),
    first_exposed_at: first === undefined ? null : iso(first.atMs),
    last_exposed_at: last === undefined ? null : iso(last.atMs),
  };
  const isBase = method === "auto";
  const named = Object.entries({ ...attributes, hour: String(new Date(assignedMs).getUTCHours()) });
  return {
    ...noCounts,
    cells: [cell],
    attributes: isBase
      ? named.map(
          ([name, value]): AttributeCell => ({
            name,
            value,
            epoch: number,
            variation_id: variation,
            assigned: 1,
            exposed: one(isExposed),
          }),
        )
      : [],
    placebos: isBase
      ? ([0, 1] as const).map((bit) => ({ bit, value: placebo[bit], assigned: 1, exposed: one(isExposed) }))
      : [],
    missing: visitor.missing.map((property) => ({ property, platform: attributes.platform ?? "(none)", units: 1 })),
    kinds: [
      { type: "assignment", subject_kind: "device", units: 1 },
      ...(isExposed ? [{ type: "exposure", subject_kind: "device", units: 1 } as const] : []),
    ],
    hours: isBase
      ? [
          {
            hour,
            variation_id: variation,
            assigned: 1,
            exposed: one(isExposed),
            logins: cell.logins,
            signups: cell.signups,
            failures: cell.failures,
            pass_throughs: cell.passed,
          },
        ]
      : [],
    last_event_at: iso(last?.atMs ?? assignedMs),
  };
}
