/// <reference path="./murmurhash-js.d.ts" />
import murmurhash from "murmurhash-js";
import { writeUtf8 } from "./utf8.ts";

/**
 * MurmurHash3 x86 32-bit of the UTF-8 form of `text`, seed 0, as an unsigned integer: the definition of bucketing.
 * The package reads one byte a char code, so it is fed one character a byte; given the text itself it would be right
 * for ASCII only. A lone surrogate counts as U+FFFD.
 */
export function murmur3(text: string): number {
  const bytes = new Uint8Array(text.length * 3);
  const length = writeUtf8(text, bytes);
  let characters = "";
  // Spreading a long array into arguments overflows the stack.
  for (let i = 0; i < length; i += 4096) {
    characters += String.fromCharCode(...bytes.subarray(i, Math.min(i + 4096, length)));
  }
  return murmurhash(characters, 0);
}
