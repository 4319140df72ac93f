/**
 * One shard of the membership index: the subjects whose hash begins with the shard's bits, and of each the cohorts it
 * is in. Layout, little-endian: five u32 (magic, bytes of the header, entries, …), the header as JSON padded to 4,
 * then the entries' high words, low words, and set numbers as columns, ordered by hash.
 */

const magic = 0x31435356; // "VSC1"
const preambleBytes = 12;

export interface ShardEntries {
  /** Ids of the cohorts that sets refer to by place. */
  cohorts: readonly string[];
  /** Each a list of places in `cohorts`: what one subject or many are in. */
  sets: readonly (readonly number[])[];
  /** Ascending, unique: low and high words by turns, as a little-endian BigUint64Array has them. */
  hashes: Uint32Array;
  /** By entry, a place in `sets`. */
  set: Uint32Array;
}

const encoder = new TextEncoder();

export function encodeShard({ cohorts, sets, hashes, set }: ShardEntries): Uint8Array<ArrayBuffer> {
  const header = encoder.encode(JSON.stringify({ cohorts, sets }));
  const headerRoom = (header.length + 3) & ~3;
  const bytes = new Uint8Array(preambleBytes + headerRoom + set.length * 12);
  const preamble = new Uint32Array(bytes.buffer, 0, 3);
  preamble.set([magic, header.length, set.length]);
  bytes.set(header, preambleBytes);
  const at = preambleBytes + headerRoom;
  const columns = new Uint32Array(bytes.buffer, at, set.length * 3);
  for (let entry = 0; entry < set.length; entry++) {
    columns[entry] = hashes[entry * 2 + 1] as number;
    columns[set.length + entry] = hashes[entry * 2] as number;
  }
  columns.set(set, set.length * 2);
  return bytes;
}

export interface Shard {
  bytes: number;
  /** Ids of the cohorts that the subject with this hash is in; none for a stranger. */
  find(high: number, low: number): readonly string[];
}

const nobody: readonly string[] = [];

/** @throws when the bytes are no shard */
export function decodeShard(buffer: ArrayBuffer): Shard {
  const [found, headerBytes = 0, entries = 0] = new Uint32Array(buffer, 0, 3);
  const at = preambleBytes + ((headerBytes + 3) & ~3);
  if (found !== magic || buffer.byteLength !== at + entries * 12)
    throw new Error("not a shard of the membership index");
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, preambleBytes, headerBytes))) as {
    cohorts: string[];
    sets: number[][];
  };
  const answers = header.sets.map((set) =>
    set.map((place) => {
      const cohort = header.cohorts[place];
      if (cohort === undefined) throw new Error(`a set names cohort ${place} of ${header.cohorts.length}`);
      return cohort;
    }),
  );
  const highs = new Uint32Array(buffer, at, entries);
  const lows = new Uint32Array(buffer, at + entries * 4, entries);
  const sets = new Uint32Array(buffer, at + entries * 8, entries);
  // Looked at now: once it is in memory, it is believed.
  for (const set of sets) if (set >= answers.length) throw new Error(`an entry names set ${set} of ${answers.length}`);
  return {
    bytes: buffer.byteLength,
    find(high, low) {
      let from = 0;
      let to = entries;
      while (from < to) {
        const middle = (from + to) >>> 1;
        const here = highs[middle] as number;
        if (here < high || (here === high && (lows[middle] as number) < low)) from = middle + 1;
        else to = middle;
      }
      return highs[from] === high && lows[from] === low ? (answers[sets[from] as number] as string[]) : nobody;
    },
  };
}

/** Which shard a hash is in, of 2 to the power of `bits`. */
export const shardOf = (high: number, bits: number): number => (bits === 0 ? 0 : high >>> (32 - bits));
