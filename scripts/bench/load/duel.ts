/** Runs contenders by turns in short slices and compares, round by round, each with the first. */
import { quantile } from "../interleave.ts";
import type { Client } from "./client.ts";

export interface Runner {
  name: string;
  client: Client;
  nextRequest: () => string;
}

/** A median of ratios within rounds, and its standard error. */
export interface Ratio {
  median: number;
  error: number;
}

export interface Result {
  name: string;
  /** All that were asked, warming up included. */
  requests: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Microseconds of workerd's processor time a request; null where not measured. */
  processorUs: number | null;
  /** The first runner's throughput over this one's. */
  throughput: Ratio;
  /** This one's processor time a request over the first runner's. */
  economy: Ratio | null;
}

export interface DuelOptions {
  rounds: number;
  sliceMs: number;
  warmUpMs: number;
  /** Microseconds spent by workerd so far. */
  clock: (() => number) | null;
}

interface Lane extends Runner {
  perSecond: number[];
  processorUs: number[];
  latenciesMs: number[];
  requests: number;
}

function ratioOf(above: readonly number[], below: readonly number[]): Ratio {
  const ratios = above.map((value, round) => value / (below[round] ?? Number.NaN));
  // Of a normal distribution's median: 1.253 σ/√n, with σ from the quartiles, which stray slices do not move.
  const sigma = (quantile(ratios, 0.75) - quantile(ratios, 0.25)) / 1.349;
  return { median: quantile(ratios, 0.5), error: (1.253 * sigma) / Math.sqrt(ratios.length) };
}

async function runSlice(lane: Lane, { sliceMs, clock }: DuelOptions): Promise<void> {
  const before = clock?.() ?? 0;
  const { requests, elapsedMs, latenciesMs } = await lane.client.run(lane.nextRequest, sliceMs);
  if (clock) lane.processorUs.push((clock() - before) / requests);
  lane.perSecond.push((requests / elapsedMs) * 1000);
  lane.latenciesMs.push(...latenciesMs);
  lane.requests += requests;
}

/** The first of `runners` is the yardstick; the same under another name makes the null control. */
export async function duel(runners: readonly Runner[], options: DuelOptions): Promise<Result[]> {
  const lanes = runners.map(
    (runner): Lane => ({ ...runner, perSecond: [], processorUs: [], latenciesMs: [], requests: 0 }),
  );
  const [yardstick] = lanes;
  if (!yardstick) return [];
  for (const lane of lanes) lane.requests += (await lane.client.run(lane.nextRequest, options.warmUpMs)).requests;
  for (let round = 0; round < options.rounds; round++) {
    // Each round starts with another, so that none always follows the same one and inherits its rubbish.
    const turn = round % lanes.length;
    for (const lane of [...lanes.slice(turn), ...lanes.slice(0, turn)]) await runSlice(lane, options);
  }
  return lanes.map(({ name, requests, perSecond, processorUs, latenciesMs }) => ({
    name,
    requests,
    perSecond: quantile(perSecond, 0.5),
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    processorUs: options.clock ? quantile(processorUs, 0.5) : null,
    throughput: ratioOf(yardstick.perSecond, perSecond),
    economy: options.clock ? ratioOf(processorUs, yardstick.processorUs) : null,
  }));
}
