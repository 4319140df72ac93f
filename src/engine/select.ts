/**
 * The value at `selector` below `root`, or undefined where the path ends early, meets an empty name, or holds null.
 * Only own properties count, so that `__proto__` or `constructor` in a selector are plain names. A getter that throws
 * counts as missing.
 */
export function select(root: unknown, selector: readonly string[]): unknown {
  if (selector.length === 0) return undefined;
  let value = root;
  try {
    for (const name of selector) {
      if (name === "" || typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
      value = (value as Record<string, unknown>)[name];
    }
  } catch {
    return undefined;
  }
  return value ?? undefined;
}
