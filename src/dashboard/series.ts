/** From an experiment's hours to what a plot of its course shows. */
import { logBayesFactor, sequentialP } from "../stats/sequential-test.ts";
import type { Epoch, Hour } from "./evidence.ts";

export interface Course {
  /** Ends of the stretches that hours are put together to, in seconds. */
  at: number[];
  /** By variation, all that had been until then. */
  assigned: number[][];
  exposed: number[][];
  /** Of all that had been assigned until then: each variation's part, and what it should have been; null before anybody was. */
  share: (number | null)[][];
  expected: (number | null)[][];
  /** That the split is as it should be, by a test that may be looked at any time; null where shares are not known. */
  p: (number | null)[];
}

const hourSeconds = 3_600;

/** So long that a plot has no more than about a hundred points. */
function stretchSeconds(spanSeconds: number): number {
  const hours = spanSeconds / hourSeconds;
  return hourSeconds * (hours <= 96 ? 1 : hours <= 90 * 24 ? 24 : 7 * 24);
}

const secondsOf = (iso: string): number => Math.floor(Date.parse(iso) / 1000);

export function courseOf(
  hours: readonly Hour[],
  variations: readonly string[],
  epochs: readonly Epoch[],
  nowMs: number,
): Course {
  const course: Course = {
    at: [],
    assigned: variations.map(() => []),
    exposed: variations.map(() => []),
    share: variations.map(() => []),
    expected: variations.map(() => []),
    p: [],
  };
  const begins = hours.map(({ hour }) => secondsOf(hour));
  if (begins.length === 0) return course;
  const last = Math.max(...begins) + hourSeconds;
  const stretch = stretchSeconds(last - Math.min(...begins));
  const first = Math.floor(Math.min(...begins) / stretch) * stretch;
  const byStretch = Map.groupBy(hours, ({ hour }) => Math.floor((secondsOf(hour) - first) / stretch));
  const assigned = variations.map(() => 0);
  const exposed = variations.map(() => 0);
  const due = variations.map(() => 0);
  const strata = new Map<Epoch, number[]>();
  let highest = 0;
  for (let place = 0; first + place * stretch < last; place++) {
    const begin = first + place * stretch;
    const epoch = epochAt(epochs, begin + stretch / 2);
    const own = variations.map(() => 0);
    for (const cell of byStretch.get(place) ?? []) {
      const variation = variations.indexOf(cell.variation_id);
      if (variation < 0) continue;
      own[variation] = (own[variation] ?? 0) + cell.assigned;
      exposed[variation] = (exposed[variation] ?? 0) + cell.exposed;
    }
    const total = sum(own);
    const shares = epoch?.shares ?? null;
    const stratum = epoch && (strata.get(epoch) ?? variations.map(() => 0));
    if (epoch && stratum) strata.set(epoch, stratum);
    variations.forEach((id, index) => {
      assigned[index] = (assigned[index] ?? 0) + (own[index] ?? 0);
      due[index] = (due[index] ?? 0) + total * (shares?.[id] ?? 0);
      if (stratum) stratum[index] = (stratum[index] ?? 0) + (own[index] ?? 0);
    });
    course.at.push(Math.min(begin + stretch, Math.floor(nowMs / 1000)));
    const all = sum(assigned);
    const isKnown = epochs.length > 0 && epochs.every((one) => one.shares !== null);
    variations.forEach((_, index) => {
      course.assigned[index]?.push(assigned[index] ?? 0);
      course.exposed[index]?.push(exposed[index] ?? 0);
      course.share[index]?.push(all === 0 ? null : (assigned[index] ?? 0) / all);
      course.expected[index]?.push(all === 0 || !isKnown ? null : (due[index] ?? 0) / all);
    });
    highest = Math.max(highest, logFactor(strata, variations));
    course.p.push(isKnown ? sequentialP(highest) : null);
  }
  return course;
}

function epochAt(epochs: readonly Epoch[], seconds: number): Epoch | undefined {
  return epochs.findLast(({ from }) => from === null || secondsOf(from) <= seconds) ?? epochs[0];
}

function logFactor(strata: ReadonlyMap<Epoch, readonly number[]>, variations: readonly string[]): number {
  return sum(
    [...strata].map(([{ shares }, counts]) => {
      const expected = variations.map((id) => shares?.[id] ?? 0);
      return sum(expected) > 0 ? logBayesFactor(counts, expected) : 0;
    }),
  );
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
