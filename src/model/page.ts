/** Lists that are read page by page: `take` items from the checkpoint `from`, which the page before gave as `next`. */
import * as v from "valibot";

export const defaultTake = 25;
const maxTake = 50;

const takeSchema = v.pipe(
  v.string(),
  v.regex(/^\d{1,9}$/, `must be a whole number from 1 to ${maxTake}`),
  v.transform(Number),
  v.minValue(1, "must be at least 1"),
  v.maxValue(maxTake, `must be at most ${maxTake}`),
);

const fromSchema = v.pipe(
  v.string(),
  v.regex(/^[0-9a-z]{1,10}$/, "must be the next of an earlier page"),
  v.transform((text) => Number.parseInt(text, 36)),
);

/** Entries of a list's query schema. */
export const pageQuery = { from: v.exactOptional(fromSchema), take: v.exactOptional(takeSchema) };

export interface PageQuery {
  /** The position of the first item wanted. */
  from?: number;
  take?: number;
}

/** A position that is never given again, so that items added or removed between pages repeat and hide no other. */
export interface Positioned<Item> {
  position: number;
  item: Item;
}

/** One page of `rows`, which come in the order of their positions; `next` unless it is the last. */
export function pageOf<Item>(
  rows: readonly Positioned<Item>[],
  { from = 0, take = defaultTake }: PageQuery,
): { items: Item[]; next?: string } {
  const rest = rows.filter(({ position }) => position >= from);
  const next = rest[take]?.position;
  return {
    items: rest.slice(0, take).map(({ item }) => item),
    ...(next === undefined ? {} : { next: next.toString(36) }),
  };
}
