/// <reference path="./murmurhash-js.d.ts" />
import murmurhash from "murmurhash-js";
import { toUtf8Characters } from "./utf8.ts";

/**
 * MurmurHash3 x86 32-bit of the UTF-8 form of `text`, seed 0, as an unsigned integer: the definition of bucketing.
 * The package reads one byte a char code, so it is fed one character a byte; given the text itself it would be right
 * for ASCII only. A lone surrogate counts as U+FFFD.
 */
export function murmur3(text: string): number {
  return murmurhash(toUtf8Characters(text), 0);
}
