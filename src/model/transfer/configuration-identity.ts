/** Which resource an entry of a file is: one that is known, or a new one with an id and a key from its name. */
import * as v from "valibot";
import { type FallbackKey, freeKey, keyFromName } from "../free-key.ts";
import { derivedId, type IdKind } from "../ids.ts";
import type { Report } from "./configuration-problem.ts";
import { findKnown, type Named } from "./configuration-references.ts";

export interface Identity {
  id: string;
  created_at: string;
  updated_at: string;
}

/** Which one of `items` an entry is, if any, and what tells it from others. @param key of an entry that has one */
export function identify<Item extends Named & Identity>(
  entry: Named,
  items: readonly Item[],
  kind: IdKind,
  at: string,
  key = entry.name,
): [known: Item | undefined, own: Identity] {
  const derived = derivedId(kind, key);
  const known = findKnown(items, entry, derived);
  return [known, { id: known?.id ?? entry.id ?? derived, created_at: known?.created_at ?? at, updated_at: at }];
}

/**
 * As `identify`, of things that have keys, which must differ among them. A key that others have already is left to the
 * checks, since the file may refer to it; only what stands in for a key steps aside.
 * @param options.within said before keys where ids are made of them
 */
export function createKeyed<Item extends Named & Identity & { key: string }>(
  entries: readonly Named[],
  items: readonly Item[],
  options: {
    kind: IdKind;
    fallback: FallbackKey;
    schema: v.GenericSchema<string>;
    at: string;
    within?: string;
    report: Report;
  },
): (entry: Named, path: string) => [known: Item | undefined, own: Identity & { key: string }] {
  const { kind, fallback, schema, at, within = "", report } = options;
  const taken = new Set([...items, ...entries].flatMap(({ key, name }) => key ?? keyFromName(name) ?? []));
  return (entry, path) => {
    const given = entry.key ?? keyFromName(entry.name);
    // What stands in for a key depends on what else there is, so that the name tells one from another.
    const [known, own] = identify(entry, items, kind, at, `${within}${given ?? entry.name}`);
    const key = known?.key ?? given ?? freeKey(fallback, taken);
    taken.add(key);
    // A key that was given has been checked with the rest.
    if (known === undefined && entry.key === undefined) {
      for (const { message } of v.safeParse(schema, key).issues ?? []) {
        report(`${path}.key`, `the name gives the key "${key}", which ${message}`);
      }
    }
    return [known, { ...own, key }];
  };
}
