/** What the names in a file mean: which resource an entry is, and which one it refers to. */

import { type IdKind, isId } from "../ids.ts";
import { byId } from "../resources.ts";
import type { Report } from "./configuration-problem.ts";

/** An entry of a file. */
export interface Named {
  id?: string;
  key?: string;
  name: string;
}

/**
 * The one of `items` that an entry is: by id, by key, or by name.
 * @param derived the id that an entry of this key or name was given when it was new: it may have been renamed since
 */
export function findKnown<Item extends Named & { id: string }>(
  items: readonly Item[],
  { id, key, name }: Named,
  derived: string,
): Item | undefined {
  if (id !== undefined) return byId(items, id);
  const found = items.find((item) => (key === undefined ? item.name === name : item.key === key));
  return found ?? byId(items, derived);
}

/** The id of what is referred to at `path`. What has the form of an id stays one, and is found missing by the checks. */
export type Resolve = (reference: string, path: string) => string;

/** A thing that may be referred to, and what it is called beside its id. */
export type Candidate = readonly [id: string, called: string];

/**
 * @param candidates of several called the same, the first is meant; ids go before names
 * @param isListed whether a reference to none of them is told all there are
 */
export function createResolve(options: {
  kind: IdKind;
  what: string;
  candidates: readonly Candidate[];
  isListed?: boolean;
  report: Report;
}): Resolve {
  const { kind, what, candidates, isListed = false, report } = options;
  const ids = new Map<string, string>();
  for (const [id, called] of candidates) if (!ids.has(called)) ids.set(called, id);
  for (const [id] of candidates) ids.set(id, id);
  return (reference, path) => {
    const id = ids.get(reference);
    if (id === undefined && !isId(kind, reference)) {
      const known = isListed ? `, only: ${[...new Set(candidates.map(([, called]) => called))].join(", ")}` : "";
      report(path, `no ${what} ${reference}${known}`);
    }
    return id ?? reference;
  };
}

/** How an id is best written: as what it is called, unless that would be read as another. */
export function createReferenceTo(candidates: readonly Candidate[]): (id: string) => string {
  const names = new Map(candidates);
  const taken = new Set<string>(names.keys());
  const ambiguous = new Set<string>();
  for (const name of names.values()) (taken.has(name) ? ambiguous : taken).add(name);
  return (id) => {
    const called = names.get(id);
    return called === undefined || ambiguous.has(called) ? id : called;
  };
}
