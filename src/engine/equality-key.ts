import { unitAt } from "./unit-at.ts";

/**
 * The form under which a value is compared: itself, but booleans in lower case. Comparing these forms is
 * experiment-core's `matchesIs`, whichever side holds the boolean.
 */
export function equalityKey(value: string): string {
  const { length } = value;
  if (length !== 4 && length !== 5) return value;
  // Only `t…` of four letters or `f…` of five can be a boolean.
  if ((unitAt(value, 0) | 0x20) !== (length === 4 ? 0x74 : 0x66)) return value;
  const lower = value.toLowerCase();
  return lower === "true" || lower === "false" ? lower : value;
}
