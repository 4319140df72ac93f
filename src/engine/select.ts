const hasOwn = Object.prototype.hasOwnProperty;

/**
 * The value under `name` in `object`, or undefined where there is none, it is null, or a getter throws. Only own
 * properties count, so that `__proto__` and `constructor` are plain names. Nothing has the empty name.
 */
export function selectOwn(object: unknown, name: string): unknown {
  if (name === "" || typeof object !== "object" || object === null) return undefined;
  try {
    // Not `Object.hasOwn`, which does the same and takes longer.
    return hasOwn.call(object, name) ? ((object as Record<string, unknown>)[name] ?? undefined) : undefined;
  } catch {
    return undefined;
  }
}
