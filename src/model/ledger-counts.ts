/**
 * What the ledger has counted of one experiment: what each shard answers, and what all of them come to. Everything counts
 * distinct units. A unit that was ever forced is in `forced`, provided that it was assigned or exposed, too, and nowhere else.
 */
import type { VestibuleEvent } from "./event.ts";

/** How a unit first came by its variation; `auto`, by hash, is what the statistics are about. */
export type FirstMethod = "auto" | "sticky" | "inclusion";

/** Units that were first assigned the same variation in the same epoch in the same way. */
export interface Cell {
  epoch: number;
  variation_id: string;
  method: FirstMethod;
  assigned: number;
  /** First assigned before the window that was asked for; 0 without one. */
  before: number;
  /** Exposed, by whatever source; by what is not `ingest`, and by what is. */
  exposed: number;
  exposed_edge: number;
  exposed_custom: number;
  /** Exposed again an hour or more after the first time. */
  returning: number;
  /** With at least one `s`, one `ss`, one `f` or `fs`, one `p`. */
  logins: number;
  signups: number;
  failures: number;
  passed: number;
  /** First assigned half an hour ago or earlier; of those exposed; of those with no exposure and no auth event. */
  settled: number;
  settled_exposed: number;
  silent: number;
  /** With a login, a sign-up or a failure of either, not a pass-through, which shows no page; of those never exposed. */
  finished: number;
  finished_unexposed: number;
  /** First exposed before they were assigned, by the events' times. */
  early: number;
  /** First exposed, by `ingest`, within a second of their assignment. */
  at_once: number;
  /** Served something else than the hash alone gives. */
  rehashed: number;
  /** Exposed to more than one variation; of those in different epochs; of the rest, known to be one user's devices. */
  jumped: number;
  jumped_configuration: number;
  jumped_identity: number;
  /** ISO times; null where there was none. */
  first_assigned_at: string | null;
  last_assigned_at: string | null;
  first_exposed_at: string | null;
  last_exposed_at: string | null;
}

/** Units of the base set (`auto`) by one value of one attribute as it was when they were first seen. */
export interface AttributeCell {
  /** An event's attribute, or `source`, `deployment`, `segment`, or `hour`: 0 to 23, UTC, of the first assignment. */
  name: string;
  /** `(none)` where it was absent; `(other)` for all values past the most frequent. */
  value: string;
  epoch: number;
  variation_id: string;
  assigned: number;
  exposed: number;
}

/** Units of the base set by the hour in which they did something for the first time. */
export interface HourCell {
  /** ISO time at which it begins. */
  hour: string;
  variation_id: string;
  assigned: number;
  exposed: number;
  logins: number;
  signups: number;
  failures: number;
  pass_throughs: number;
}

export interface LedgerCounts {
  cells: Cell[];
  /** Exposed without an assignment of this experiment that the ledger knows of. */
  unassigned: { variation_id: string; source: VestibuleEvent["source"]; units: number }[];
  forced: number;
  attributes: AttributeCell[];
  /** Units of the base set by two bits of a hash with a salt of its own, which nothing else depends on. */
  placebos: { bit: 0 | 1; value: 0 | 1; assigned: number; exposed: number }[];
  /** Units that lacked a property which the experiment's rules ask about, by the platform they were on. */
  missing: { property: string; platform: string; units: number }[];
  /** Users whose devices are known, by the variation of the first; with two, and with three or more, in seven days. */
  links: { variation_id: string; users: number; with_two: number; with_three: number }[];
  kinds: { type: "assignment" | "exposure"; subject_kind: VestibuleEvent["subject_kind"]; units: number }[];
  hours: HourCell[];
  /** Of events that are not of a forced visit. */
  last_event_at: string | null;
  /** Two units with the same auth events, of which one was exposed. */
  examples: { exposed: string; unexposed: string; events: string } | null;
  /** Of all units, how many are kept: 1, or the slice by hash that a ledger over its budget goes on with. */
  share: number;
}

export const noCounts: LedgerCounts = {
  cells: [],
  unassigned: [],
  forced: 0,
  attributes: [],
  placebos: [],
  missing: [],
  links: [],
  kinds: [],
  hours: [],
  last_event_at: null,
  examples: null,
  share: 1,
};

/** What shards have counted, as one; in whatever order they come, the same. */
export function addCounts(shards: readonly LedgerCounts[]): LedgerCounts {
  return {
    cells: summed(
      shards.flatMap(({ cells }) => cells),
      ["epoch", "variation_id", "method"],
    ),
    unassigned: summed(
      shards.flatMap(({ unassigned }) => unassigned),
      ["variation_id", "source"],
    ),
    forced: shards.reduce((sum, { forced }) => sum + forced, 0),
    attributes: summed(
      shards.flatMap(({ attributes }) => attributes),
      ["name", "value", "epoch", "variation_id"],
    ),
    placebos: summed(
      shards.flatMap(({ placebos }) => placebos),
      ["bit", "value"],
    ),
    missing: summed(
      shards.flatMap(({ missing }) => missing),
      ["property", "platform"],
    ),
    links: summed(
      shards.flatMap(({ links }) => links),
      ["variation_id"],
    ),
    kinds: summed(
      shards.flatMap(({ kinds }) => kinds),
      ["type", "subject_kind"],
    ),
    hours: summed(
      shards.flatMap(({ hours }) => hours),
      ["hour", "variation_id"],
    ),
    last_event_at: latest(shards.map(({ last_event_at }) => last_event_at)),
    examples:
      shards.flatMap(({ examples }) => examples ?? []).sort((a, b) => compare(a.unexposed, b.unexposed))[0] ?? null,
    share: Math.min(1, ...shards.map(({ share }) => share)),
  };
}

/** Rows of the same key as one: numbers added up, of times the earliest of `first_…` and the latest of `last_…`. */
function summed<Row extends object>(rows: readonly Row[], key: readonly (keyof Row & string)[]): Row[] {
  const groups = Map.groupBy(rows, (row) => JSON.stringify(key.map((field) => row[field])));
  const sums = [...groups].map(([text, group]) => {
    const [first] = group as [Row, ...Row[]];
    const fields = Object.keys(first).map((field) => {
      const values = group.map((row) => row[field as keyof Row]);
      if ((key as readonly string[]).includes(field)) return [field, values[0]];
      if (field.endsWith("_at")) return [field, (field.startsWith("first_") ? earliest : latest)(values as Time[])];
      return [field, (values as number[]).reduce((sum, value) => sum + value, 0)];
    });
    return { text, row: Object.fromEntries(fields) as Row };
  });
  return sums.sort((a, b) => compare(a.text, b.text)).map(({ row }) => row);
}

type Time = string | null;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const known = (times: readonly Time[]): string[] => times.flatMap((time) => time ?? []).sort(compare);
const earliest = (times: readonly Time[]): Time => known(times)[0] ?? null;
const latest = (times: readonly Time[]): Time => known(times).at(-1) ?? null;
