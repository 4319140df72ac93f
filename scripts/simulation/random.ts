/** Chance that can be repeated: the same seed draws the same visitors. */

export interface Random {
  /** From 0 up to 1, without it. */
  next(): number;
  /** Whether something of this probability happens. */
  happens(probability: number): boolean;
  /** One of the list, as often as its weight says. */
  pick<Item>(items: readonly (readonly [item: Item, weight: number])[]): Item;
}

/** Mulberry32: 32 bits of state, enough for crowds of some thousands. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  return {
    next,
    happens: (probability) => next() < probability,
    pick(items) {
      let rest = next() * items.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [item, weight] of items) {
        rest -= weight;
        if (rest < 0) return item;
      }
      const [last] = items.slice(-1);
      if (last === undefined) throw new RangeError("nothing to pick from");
      return last[0];
    },
  };
}
