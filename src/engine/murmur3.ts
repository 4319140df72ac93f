/// <reference path="./murmurhash-js.d.ts" />
import murmurhash from "murmurhash-js";
import { utf8Room, writeUtf8 } from "./utf8.ts";

/**
 * MurmurHash3 x86 32-bit of the UTF-8 form of `text`, seed 0, as an unsigned integer: the definition of bucketing.
 * The package reads one byte a char code, so it is fed one character a byte; given the text itself it would be right
 * for ASCII only. A lone surrogate counts as U+FFFD.
 */
export function murmur3(text: string): number {
  const bytes = new Uint8Array(utf8Room(text));
  const length = writeUtf8(text, bytes);
  let characters = "";
  for (let at = 0; at < length; at++) characters += String.fromCharCode(bytes[at] ?? 0);
  return murmurhash(characters, 0);
}
