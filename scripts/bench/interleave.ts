/**
 * Compares contenders honestly on a machine that is busy or changes its clock: they run in short slices by turns, and
 * only slices of the same round are compared. Absolute figures wander with the machine; medians of ratios hold still.
 */

export interface Contender {
  name: string;
  /** Does the work once; `turn` counts up, to vary the input. What it returns is kept from the optimiser's knife. */
  run(turn: number): unknown;
}

export interface Standing {
  name: string;
  /** Median over the rounds. */
  nsPerRun: number;
  /** How many times as fast as the first contender: median of the rounds' ratios, and their 10th and 90th percentile. */
  ratio: number;
  ratioLow: number;
  ratioHigh: number;
}

export interface InterleaveOptions {
  rounds?: number;
  /** Target length of one contender's slice. */
  sliceMs?: number;
  warmUpMs?: number;
}

/** Name of the null control: the first contender once more, whose ratio shows the noise around 1. */
export const nullControl = "(the first again)";

let kept: unknown;
/** The last result, so that no run is dead code. */
export const lastResult = (): unknown => kept;

function runSlice({ run }: Contender, from: number, count: number): number {
  const start = performance.now();
  for (let turn = from; turn < from + count; turn++) kept = run(turn);
  return performance.now() - start;
}

/**
 * How many runs fill a slice, after warming up for `warmUpMs`: by the fastest, for one that the machine held up would make
 * all slices too short for the clock.
 */
function calibrate(contender: Contender, { sliceMs, warmUpMs }: Required<InterleaveOptions>): number {
  let count = 1;
  let spent = 0;
  let msPerRun = Infinity;
  for (;;) {
    const took = runSlice(contender, 0, count);
    spent += took;
    if (took >= sliceMs / 4) msPerRun = Math.min(msPerRun, took / count);
    if (spent >= warmUpMs && took >= sliceMs / 4) return Math.max(1, Math.round(sliceMs / msPerRun));
    if (took < sliceMs) count *= 2;
  }
}

/** The value below which the given share of `values` lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/** Runs the contenders by turns, the first being the yardstick, and its null control with them. */
export function interleave(contenders: readonly Contender[], options: InterleaveOptions = {}): Standing[] {
  const settings = { rounds: 41, sliceMs: 4, warmUpMs: 150, ...options };
  const [first] = contenders;
  if (first === undefined) return [];
  const field = [...contenders, { ...first, name: nullControl }];
  const counts = field.map((contender) => calibrate(contender, settings));
  const times = field.map((): number[] => []);
  for (let round = 0; round < settings.rounds; round++) {
    for (let step = 0; step < field.length; step++) {
      // Each round starts with another contender, so that none always follows the same one.
      const at = (round + step) % field.length;
      const contender = field[at];
      const count = counts[at];
      if (contender === undefined || count === undefined) continue;
      times[at]?.push((runSlice(contender, round * count, count) / count) * 1e6);
    }
  }
  const yardstick = times[0] ?? [];
  return field.map(({ name }, at) => {
    const own = times[at] ?? [];
    const ratios = own.map((time, round) => (yardstick[round] ?? Number.NaN) / time);
    return {
      name,
      nsPerRun: quantile(own, 0.5),
      ratio: quantile(ratios, 0.5),
      ratioLow: quantile(ratios, 0.1),
      ratioHigh: quantile(ratios, 0.9),
    };
  });
}

/** The standings as lines of a table, under a title. */
export function formatStandings(title: string, standings: readonly Standing[]): string {
  const rows = standings.map(({ name, nsPerRun, ratio, ratioLow, ratioHigh }) => [
    name,
    nsPerRun < 10_000 ? `${nsPerRun.toFixed(0)} ns` : `${(nsPerRun / 1000).toFixed(1)} µs`,
    `${ratio.toFixed(2)}×`,
    `${ratioLow.toFixed(2)}–${ratioHigh.toFixed(2)}`,
  ]);
  const table = [["", "a run", "as fast", "10–90%"], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
  return [title, ...lines.map((line) => `  ${line}`)].join("\n");
}
