/** Keys for what is named and given none. */
import * as v from "valibot";
import { keySchema, maxKeyLength, slug } from "./fields.ts";

/** What a name in letters that no key has gives instead. */
export type FallbackKey = "flag" | "variation" | "group";

/** Undefined for a name in letters that no key has. */
export function keyFromName(name: string): string | undefined {
  const spelled = slug(name);
  return v.is(keySchema, spelled) ? spelled : undefined;
}

/** Steps aside for those that are taken: `key_2`, `key_3`. */
export function freeKey(key: string, taken: ReadonlySet<string>): string {
  let free = key;
  for (let count = 2; taken.has(free); count++) free = `${key.slice(0, maxKeyLength - `_${count}`.length)}_${count}`;
  return free;
}
