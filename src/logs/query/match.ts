/** Asks an entry. Takes time in proportion to what the query and the entry hold, whatever they are. */
import { type EntryType, entryTypes, type LogEntry } from "../../model/log-entry.ts";
import type { Value } from "./fields.ts";
import type { Query, Test } from "./query.ts";

export function matches(query: Query, entry: LogEntry): boolean {
  switch (query.op) {
    case "and":
      return query.parts.every((part) => matches(part, entry));
    case "or":
      return query.parts.some((part) => matches(part, entry));
    case "not":
      return !matches(query.part, entry);
    case "term":
      return query.field.read(entry).some((value) => passes(query.test, value));
  }
}

function passes(test: Test, value: Value): boolean {
  if (value === undefined) return false;
  switch (test.is) {
    case "any":
      return true;
    case "equal":
      return value === test.to;
    case "prefix":
      return String(value).startsWith(test.of);
    case "containing":
      return String(value).toLowerCase().includes(test.of);
    case "within":
      return Number(value) >= test.from && Number(value) <= test.to;
  }
}

/** Where matching entries can be, so that not all have to be looked at. */
export interface Reach {
  types: readonly EntryType[];
  /** Of dates, in ms since the epoch, both inclusive. */
  since: number;
  until: number;
}

export function reachOf(query: Query | null): Reach {
  const [since, until] = query === null ? always : datesOf(query);
  return { types: entryTypes.filter((type) => query === null || verdictOn(type, query) !== false), since, until };
}

const always = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** Whether entries of a type match, as far as the type alone tells; null where it does not. */
function verdictOn(type: EntryType, query: Query): boolean | null {
  if (query.op === "term") {
    if (query.name === "type") return passes(query.test, type);
    return query.field.isOf(type) ? null : false;
  }
  if (query.op === "not") {
    const verdict = verdictOn(type, query.part);
    return verdict === null ? null : !verdict;
  }
  const verdicts = query.parts.map((part) => verdictOn(type, part));
  const decisive = query.op === "or";
  if (verdicts.includes(decisive)) return decisive;
  return verdicts.includes(null) ? null : !decisive;
}

/** No entry outside of them matches. */
function datesOf(query: Query): readonly [number, number] {
  if (query.op === "term") {
    const { test } = query;
    return query.name === "date" && test.is === "within" ? [test.from, test.to] : always;
  }
  if (query.op === "not") return always;
  const ranges = query.parts.map(datesOf);
  const [first, last] = query.op === "and" ? ([Math.max, Math.min] as const) : ([Math.min, Math.max] as const);
  return [first(...ranges.map(([from]) => from)), last(...ranges.map(([, to]) => to))];
}
