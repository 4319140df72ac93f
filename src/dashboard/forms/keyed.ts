/** Rows that the API takes as an object: each under a name that the row itself holds. */
import type { Json, Read } from "./read-form.ts";

/** As the API writes a member's name in a path. */
export function memberPath(name: string): string {
  return /^[\w$-]{1,64}$/.test(name) ? `.${name}` : `[${JSON.stringify(name.slice(0, 64))}]`;
}

/**
 * @param field the list that becomes an object
 * @param entryOf a row's name and what stands under it
 */
export function keyed(read: Read, field: string, entryOf: (row: Json) => readonly [string, Json]): Read {
  const { body, faults: before, places } = read;
  const controls = new Map(places);
  const faults = new Map(before);
  const members: Record<string, Json> = {};
  const paths: [string, string][] = [];
  (body[field] ?? []).forEach((row: Json, place: number) => {
    const [name, value] = entryOf(row);
    const control = controls.get(`${field}[${place}]`) ?? `${field}[${place}]`;
    if (name === "") faults.set(`${control}.name`, "must be given");
    else if (Object.hasOwn(members, name)) faults.set(`${control}.name`, "another row has this name");
    // Not by assignment: `__proto__` would be no member, and the API says what it thinks of it.
    Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true });
    paths.push([field + memberPath(name), control]);
  });
  return { body: { ...body, [field]: members }, faults, places: [...paths, ...places] };
}
