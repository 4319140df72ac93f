/** How soon the shards' counts are there, summed up, as the number of units grows; and of a window, for which units are gone through. */
import { printTable } from "../cohorts/table.ts";
import { quantile } from "../interleave.ts";
import { type House, startHouse } from "./house.ts";

const sizes = [10_000, 100_000, 1_000_000];
const shardCounts = [1, 4];
/** Events of a visit, on average. */
const eventsEach = 2.7;
const perCall = 2_000;
const asks = 15;

async function fill(house: House, path: string, from: number, to: number): Promise<void> {
  for (let units = from; units < to; units += perCall / eventsEach) await house.ask(`/record?${path}&count=${perCall}`);
}

interface Answer {
  counts: { cells: { assigned: number }[] };
}

async function measure(
  house: House,
  path: string,
  times: number,
): Promise<{ p50: number; worst: number; answer: Answer }> {
  const took: number[] = [];
  let answer: Answer | undefined;
  for (let at = 0; at < times; at++) {
    const start = performance.now();
    answer = await house.ask<Answer>(`/counts?${path}`);
    took.push(performance.now() - start);
  }
  return { p50: quantile(took, 0.5), worst: Math.max(...took), answer: answer as Answer };
}

export async function measureReports(): Promise<void> {
  const rows: string[][] = [];
  for (const shards of shardCounts) {
    const house = await startHouse();
    try {
      const path = `shards=${shards}&experiment=exp_reports`;
      let filled = 0;
      for (const size of sizes) {
        const start = performance.now();
        await fill(house, path, filled, size);
        const seconds = (performance.now() - start) / 1000;
        const perSecond = ((size - filled) * eventsEach) / seconds;
        filled = size;
        const whole = await measure(house, path, asks);
        const from = new Date(Date.now() - 24 * 3_600_000).toISOString();
        const window = await measure(house, `${path}&from=${from}`, size > 100_000 ? 2 : 5);
        const units = whole.answer.counts.cells.reduce((sum, { assigned }) => sum + assigned, 0);
        rows.push([
          units.toLocaleString("en"),
          String(shards),
          Math.round(perSecond).toLocaleString("en"),
          whole.p50.toFixed(1),
          whole.worst.toFixed(1),
          window.p50.toFixed(0),
        ]);
      }
    } finally {
      await house.close();
    }
  }
  printTable(
    "Counts of one experiment, in ms; all shards share one thread here",
    ["units", "shards", "events/s while filling", "p50", "worst", "of the last day"],
    rows,
  );
}
