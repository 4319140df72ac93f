/**
 * A QR code (ISO/IEC 18004) of a text: byte mode, error correction level L, the smallest version that holds it.
 * Rows of modules, true where dark.
 */

type Grid = boolean[][];

/** For level L, by version: codewords of error correction in a block, and blocks (table 9 of the standard). */
const eccPerBlock = [
  7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30,
  30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
];
const blockCounts = [
  1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19,
  20, 21, 22, 24, 25,
];
const largestVersion = 40;
/** Of level L in the format bits. */
const levelBits = 1;

/** @throws where no version holds it: 2,953 bytes */
export function qrCode(text: string): Grid {
  const bytes = new TextEncoder().encode(text);
  let version = 1;
  while (capacityOf(version) * 8 < 4 + lengthBits(version) + bytes.length * 8) {
    version++;
    if (version > largestVersion) throw new Error(`a QR code does not hold ${bytes.length} bytes`);
  }
  const codewords = interleaved(dataOf(bytes, version), version);
  let best: Grid = [];
  let least = Number.POSITIVE_INFINITY;
  for (let mask = 0; mask < 8; mask++) {
    const grid = drawn(version, codewords, mask);
    const penalty = penaltyOf(grid);
    if (penalty < least) [best, least] = [grid, penalty];
  }
  return best;
}

const sizeOf = (version: number): number => version * 4 + 17;
const lengthBits = (version: number): number => (version < 10 ? 8 : 16);

/** Modules left for data, error correction included. */
function rawModules(version: number): number {
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const aligned = Math.floor(version / 7) + 2;
    modules -= (25 * aligned - 10) * aligned - 55;
    if (version >= 7) modules -= 36;
  }
  return modules;
}

/** Codewords of data. */
function capacityOf(version: number): number {
  const [ecc = 0, blocks = 0] = [eccPerBlock[version - 1], blockCounts[version - 1]];
  return Math.floor(rawModules(version) / 8) - ecc * blocks;
}

function dataOf(bytes: Uint8Array, version: number): number[] {
  const bits: number[] = [];
  const put = (value: number, length: number) => {
    for (let bit = length - 1; bit >= 0; bit--) bits.push((value >>> bit) & 1);
  };
  put(0b0100, 4);
  put(bytes.length, lengthBits(version));
  for (const byte of bytes) put(byte, 8);
  const capacity = capacityOf(version) * 8;
  put(0, Math.min(4, capacity - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < capacity; pad ^= 0xec ^ 0x11) put(pad, 8);
  return Array.from({ length: bits.length / 8 }, (_, at) =>
    bits.slice(at * 8, at * 8 + 8).reduce((byte, bit) => (byte << 1) | bit, 0),
  );
}

/** Blocks with their error correction, taken in turns. */
function interleaved(data: readonly number[], version: number): number[] {
  const [ecc = 0, count = 1] = [eccPerBlock[version - 1], blockCounts[version - 1]];
  const raw = Math.floor(rawModules(version) / 8);
  const short = count - (raw % count);
  const shortLength = Math.floor(raw / count) - ecc;
  const divisor = divisorOf(ecc);
  const blocks: { own: number[]; check: number[] }[] = [];
  for (let block = 0, at = 0; block < count; block++) {
    const own = data.slice(at, at + shortLength + (block < short ? 0 : 1));
    at += own.length;
    blocks.push({ own, check: remainderOf(own, divisor) });
  }
  const result: number[] = [];
  for (let at = 0; at <= shortLength; at++)
    for (const { own } of blocks) if (at < own.length) result.push(own[at] ?? 0);
  for (let at = 0; at < ecc; at++) for (const { check } of blocks) result.push(check[at] ?? 0);
  return result;
}

/** In the field GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1. */
function multiply(x: number, y: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d);
    product ^= ((y >>> bit) & 1) * x;
  }
  return product;
}

function divisorOf(degree: number): number[] {
  const result = [...Array<number>(degree - 1).fill(0), 1];
  let root = 1;
  for (let step = 0; step < degree; step++) {
    for (let at = 0; at < degree; at++) result[at] = multiply(result[at] ?? 0, root) ^ (result[at + 1] ?? 0);
    root = multiply(root, 2);
  }
  return result;
}

function remainderOf(data: readonly number[], divisor: readonly number[]): number[] {
  const result = divisor.map(() => 0);
  for (const byte of data) {
    const factor = byte ^ (result.shift() ?? 0);
    result.push(0);
    divisor.forEach((coefficient, at) => {
      result[at] = (result[at] ?? 0) ^ multiply(coefficient, factor);
    });
  }
  return result;
}

function alignments(version: number): number[] {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.floor((version * 8 + count * 3 + 5) / (count * 4 - 4)) * 2;
  const inner = Array.from({ length: count - 1 }, (_, at) => sizeOf(version) - 7 - at * step);
  return [6, ...inner.reverse()];
}

const masks: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

function drawn(version: number, codewords: readonly number[], mask: number): Grid {
  const size = sizeOf(version);
  const grid: Grid = Array.from({ length: size }, () => Array<boolean>(size).fill(false));
  const taken: Grid = Array.from({ length: size }, () => Array<boolean>(size).fill(false));
  const set = (x: number, y: number, dark: boolean) => {
    const [row, takenRow] = [grid[y], taken[y]];
    if (row === undefined || takenRow === undefined || x < 0 || x >= size) return;
    row[x] = dark;
    takenRow[x] = true;
  };
  drawPatterns(version, size, set);
  drawFormat(size, mask, set);
  drawVersion(version, size, set);
  const flip = masks[mask] ?? (() => false);
  let at = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step++) {
      const y = ((right + 1) & 2) === 0 ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (taken[y]?.[x]) continue;
        const bit = ((codewords[at >>> 3] ?? 0) >>> (7 - (at & 7))) & 1;
        at++;
        const row = grid[y];
        if (row) row[x] = (bit === 1) !== flip(x, y);
      }
    }
  }
  return grid;
}

type Put = (x: number, y: number, dark: boolean) => void;

function drawPatterns(version: number, size: number, set: Put): void {
  for (let at = 0; at < size; at++) {
    set(6, at, at % 2 === 0);
    set(at, 6, at % 2 === 0);
  }
  const ring = (cx: number, cy: number, reach: number, isDark: (distance: number) => boolean) => {
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) set(cx + dx, cy + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))));
    }
  };
  for (const [x, y] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4],
  ] as const) {
    ring(x, y, 4, (distance) => distance !== 2 && distance !== 4);
  }
  const places = alignments(version);
  const last = places.length - 1;
  places.forEach((x, i) => {
    places.forEach((y, j) => {
      const isCorner = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0);
      if (!isCorner) ring(x, y, 2, (distance) => distance !== 1);
    });
  });
}

function drawFormat(size: number, mask: number, set: Put): void {
  const data = (levelBits << 3) | mask;
  let rest = data;
  for (let step = 0; step < 10; step++) rest = (rest << 1) ^ ((rest >>> 9) * 0x537);
  const bits = ((data << 10) | rest) ^ 0x5412;
  const bit = (at: number) => ((bits >>> at) & 1) === 1;
  for (let at = 0; at <= 5; at++) set(8, at, bit(at));
  set(8, 7, bit(6));
  set(8, 8, bit(7));
  set(7, 8, bit(8));
  for (let at = 9; at < 15; at++) set(14 - at, 8, bit(at));
  for (let at = 0; at < 8; at++) set(size - 1 - at, 8, bit(at));
  for (let at = 8; at < 15; at++) set(8, size - 15 + at, bit(at));
  set(8, size - 8, true);
}

function drawVersion(version: number, size: number, set: Put): void {
  if (version < 7) return;
  let rest = version;
  for (let step = 0; step < 12; step++) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
  const bits = (version << 12) | rest;
  for (let at = 0; at < 18; at++) {
    const dark = ((bits >>> at) & 1) === 1;
    const [a, b] = [size - 11 + (at % 3), Math.floor(at / 3)];
    set(a, b, dark);
    set(b, a, dark);
  }
}

/** What makes a code hard to read: long runs, blocks, and more of one colour. */
function penaltyOf(grid: Grid): number {
  const size = grid.length;
  let penalty = 0;
  let dark = 0;
  const columns = grid.map((_, x) => grid.map((row) => row[x] ?? false));
  for (const line of [...grid, ...columns]) {
    const text = line.map((module) => (module ? "1" : "0")).join("");
    for (const [run] of text.matchAll(/0{5,}|1{5,}/g)) penalty += run.length - 2;
    for (const _ of text.matchAll(/(?=10111010000|00001011101)/g)) penalty += 40;
  }
  grid.forEach((row, y) => {
    row.forEach((module, x) => {
      if (module) dark++;
      const below = grid[y + 1];
      if (below && x + 1 < size && module === row[x + 1] && module === below[x] && module === below[x + 1])
        penalty += 3;
    });
  });
  const share = (dark * 100) / (size * size);
  return penalty + Math.floor(Math.abs(share - 50) / 5) * 10;
}
