/**
 * Each group of conditions has a place: a bit of a word. A place is told by one number, of which the upper part is the word.
 */

/** Bits of a word that are used: with 30, V8 keeps every word as a small integer, on all its builds. */
export const wordBits = 30;
export const fullWord = (1 << wordBits) - 1;

const wordShift = 5;

export const toPlace = (word: number, bit: number): number => (word << wordShift) | bit;
export const wordOf = (place: number): number => place >> wordShift;
export const bitOf = (place: number): number => place & ((1 << wordShift) - 1);
