/** Short names for long texts in cookies. */
import { murmur3 } from "../engine/murmur3.ts";

/** A 32-bit hash as text. It compares texts of one visitor; it is no proof of anything. */
export function tagOf(text: string): string {
  return murmur3(text).toString(36);
}
