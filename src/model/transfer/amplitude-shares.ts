/** Amplitude's ranges as the percentages and weights they were compiled from. */
import type { Segment } from "../../engine/flag.ts";
import { distributions, variantHashes, type Weight } from "../compile/weights.ts";

export interface Shares {
  /** Of subjects that take part at all. */
  percentage: number;
  /** How `floor(hash / 100)` is divided among variants, in order: each has all from the end of the one before. */
  ends: readonly Share[];
  /** Whether chance is asked although it decides nothing: then who has no id gets no variant. */
  needsId: boolean;
  /** Whether the last of all hashes was left out, which nobody means; the last variant has it here. */
  isRounded?: boolean;
}

interface Share {
  variant: string;
  end: number;
}

/** @returns what of the segment's bucket can be said in no other way, in words */
export function readShares({ bucket, variant }: Segment, variants: ReadonlySet<string>): Shares | string {
  if (variant === undefined) return "gives no variant to some of those it matches, who go on to the next segment";
  if (bucket === undefined) {
    if (variant === "off") return { percentage: 0, ends: [], needsId: false };
    if (!variants.has(variant)) return `gives ${variant}, which is no variant of the flag`;
    return { percentage: 100, ends: [{ variant, end: variantHashes }], needsId: false };
  }
  const live = bucket.allocations.filter(({ range: [start, end] }) => start < Math.min(end, 100));
  const [allocation, ...others] = live;
  if (allocation === undefined) return readShares({ variant }, variants);
  if (variant !== "off") return `gives ${variant} to whom it allocates nothing; only off can be said`;
  if (others.length > 0) return "has several allocations; only one can be said";
  const [from, to] = allocation.range;
  if (from > 0) return `allocates from ${from}% up; only from 0 can be said`;
  const percentage = Math.min(100, Math.ceil(to));
  const ends = readEnds(allocation.distributions, variants);
  if (typeof ends === "string") return ends;
  const last = ends.at(-1);
  const isRounded = last?.end === variantHashes - 1;
  if (isRounded) last.end = variantHashes;
  if (last?.end !== variantHashes) return `gives no variant to hashes from ${last?.end ?? 0} to ${variantHashes}`;
  return { percentage, ends, needsId: percentage === 100 && ends.length === 1, isRounded };
}

function readEnds(
  given: NonNullable<Segment["bucket"]>["allocations"][number]["distributions"],
  variants: ReadonlySet<string>,
): Share[] | string {
  const ends: Share[] = [];
  let reached = 0;
  for (const { variant, range } of given) {
    const [start, end] = range.map(Math.ceil) as [number, number];
    if (end <= reached || start >= end) continue;
    if (start > reached) return `gives no variant to hashes from ${reached} to ${start}`;
    if (!variants.has(variant)) return `gives ${variant} by chance, which is no variant of the flag`;
    reached = Math.min(end, variantHashes);
    const last = ends.at(-1);
    if (last?.variant === variant) last.end = reached;
    else if (ends.some((share) => share.variant === variant)) return `gives ${variant} two ranges apart`;
    else ends.push({ variant, end: reached });
  }
  return ends;
}

/** Weights that compile to exactly these shares, in whole percent where they can be. */
export function weightsOf(ends: Shares["ends"]): Weight[] {
  const rounded = [100, ...Array.from({ length: 98 }, (_, index) => index + 2), 1_000, 10_000].map((total) =>
    between(ends, (end) => Math.round((end * total) / variantHashes)),
  );
  const fitting = rounded.find((weights) => {
    const compiled = distributions(weights);
    return compiled.length === ends.length && compiled.every(({ range }, index) => range[1] === ends[index]?.end);
  });
  // A bound is the next whole number above, so any that lies between two of them gives it.
  return fitting ?? between(ends, (end) => (end === variantHashes ? 1 : (end - 0.5) / variantHashes) * 1_000_000);
}

function between(ends: Shares["ends"], scale: (end: number) => number): Weight[] {
  return ends.map(({ variant, end }, index) => ({
    variant,
    weight: scale(end) - scale(ends[index - 1]?.end ?? 0),
  }));
}
