/** What the shards of a tenant's ledger know, as one. */
import { within } from "../alarms/deadline.ts";
import { type AttributeCell, addCounts, type LedgerCounts } from "../model/ledger-counts.ts";
import type { Forgotten } from "./forgetting.ts";
import type { CountsQuestion, ShardCounts } from "./keeper.ts";
import { readLedgerLimits } from "./limits.ts";
import { giveUpMs, type LedgerBindings, rootOf, shardAt } from "./shards.ts";
import { otherValue } from "./tallies.ts";
import type { Look, Verdict } from "./verdicts.ts";

/** ISO times; `to` is not in it. */
export interface CountsWindow {
  from?: string;
  to?: string;
}

export interface ReadCounts {
  counts: LedgerCounts;
  /** How many there are to ask, and how many have answered; the counts are theirs. */
  shards: number;
  answered: number;
}

/** A million units of one shard are gone through in some seconds. */
const scanWithinMs = 30_000;

/** Of one attribute; the rest go together. */
const mostValues = 50;

/** Asks all shards at once. @throws (by rejecting) where none of them answers */
export async function countsOf(
  bindings: LedgerBindings,
  tenant: string,
  experiment: string,
  { from, to }: CountsWindow = {},
): Promise<ReadCounts> {
  const question: CountsQuestion = {
    ...(from === undefined ? {} : { from: Date.parse(from) }),
    ...(to === undefined ? {} : { to: Date.parse(to) }),
  };
  const patienceMs = from === undefined && to === undefined ? giveUpMs : scanWithinMs;
  const ask = (index: number) => within(patienceMs, shardAt(bindings, tenant, index).readCounts(experiment, question));
  const expected = readLedgerLimits(bindings).limits.shards;
  const first = await Promise.allSettled(range(0, expected).map(ask));
  const answers = first.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  if (answers.length === 0) throw (first[0] as PromiseRejectedResult).reason;
  // The root knows how many there are, and so does whichever has counted anything: the setting may have been another then.
  const shards = Math.max(...answers.map((answer) => answer?.shards ?? 0)) || expected;
  const rest = await Promise.allSettled(range(expected, shards).map(ask));
  const all = [...first, ...rest].slice(0, shards);
  const found = all.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const counts = addCounts(found.flatMap((each: ShardCounts | null) => each?.counts ?? []));
  return { counts: { ...counts, attributes: trimmed(counts.attributes) }, shards, answered: found.length };
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);

/** The most frequent values of each attribute by themselves. */
function trimmed(attributes: readonly AttributeCell[]): AttributeCell[] {
  return [...Map.groupBy(attributes, ({ name }) => name).values()].flatMap((cells) => {
    const values = [...Map.groupBy(cells, ({ value }) => value)]
      .map(([value, group]) => ({ value, units: group.reduce((sum, { assigned }) => sum + assigned, 0) }))
      .filter(({ value }) => value !== otherValue)
      .sort((a, b) => b.units - a.units || (a.value < b.value ? -1 : 1));
    const kept = new Set(values.slice(0, mostValues).map(({ value }) => value));
    const renamed = cells.map((cell) => (kept.has(cell.value) ? cell : { ...cell, value: otherValue }));
    return addCounts([{ ...addCounts([]), attributes: renamed }]).attributes;
  });
}

/** Keeps the highest that the sequential test has come to, and what was said last. */
export function keepVerdict(
  bindings: LedgerBindings,
  tenant: string,
  experiment: string,
  look: Look,
): Promise<{ highest: number }> {
  return within(giveUpMs, rootOf(bindings, tenant).keepVerdict(experiment, look));
}

/** Of all experiments, the one last looked at comes last. */
export function verdictsOf(bindings: LedgerBindings, tenant: string): Promise<Verdict[]> {
  return within(giveUpMs, rootOf(bindings, tenant).verdicts());
}

/** A million units are looked through in a second or so, and there may be many experiments. */
const forgetWithinMs = 60_000;

/** Deletes units from all shards. @throws (by rejecting) where one could not be reached: then it is to be done again */
export async function forgetUnits(
  bindings: LedgerBindings,
  tenant: string,
  units: readonly string[],
): Promise<Forgotten> {
  const most = await within(giveUpMs, rootOf(bindings, tenant).mostShards());
  const forgotten = await Promise.all(
    range(0, most).map((index) => within(forgetWithinMs, shardAt(bindings, tenant, index).forget(units))),
  );
  return forgotten.reduce((sum, each) => ({ units: sum.units + each.units, links: sum.links + each.links }), {
    units: 0,
    links: 0,
  });
}
