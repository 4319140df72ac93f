/** The fields that an object may have, for who sent another. */
import { endOf, type Shape } from "./shape.ts";

/** @param path of a field that `schema` does not know. Undefined where it cannot be said: one of several may be meant */
export function knownFields(schema: Shape, path: readonly unknown[]): string[] | undefined {
  let at: Shape | undefined = unwrapped(schema);
  for (const key of path.slice(0, -1)) {
    const inner: Shape | undefined = at?.entries?.[String(key)] ?? at?.item ?? at?.value;
    at = inner && unwrapped(inner);
  }
  return at?.entries && Object.keys(at.entries);
}

function unwrapped(schema: Shape): Shape {
  const end = endOf(schema);
  return end.wrapped === undefined ? end : unwrapped(end.wrapped);
}
