/** How many shards the index has: so many that each holds some thousands of subjects. */

/** A shard is split when it would hold more, into two of about 5,000; two are joined when each would hold less. */
const mostEntries = 10_240;
const leastEntries = 3_072;
/** What is aimed at when the number changes. */
const aimedEntries = 8_192;
/** The snapshot names a generation of each: more would make it long. Then shards grow. */
const maxBits = 12;

/**
 * @param subjects about how many the index has
 * @param current bits that it has now; kept as long as they do, since with others every shard is another
 */
export function chooseBits(subjects: number, current: number | undefined): number {
  if (current !== undefined && fits(subjects, current)) return current;
  return Math.min(maxBits, Math.max(0, Math.ceil(Math.log2(subjects / aimedEntries))));
}

function fits(subjects: number, bits: number): boolean {
  const entries = subjects / 2 ** bits;
  return (entries <= mostEntries || bits === maxBits) && (entries >= leastEntries || bits === 0);
}
