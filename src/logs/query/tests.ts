/** What a value, as it was written, asks of a field. */
import type { FieldKind } from "./fields.ts";
import type { Test } from "./query.ts";
import { QueryError, type Written } from "./scanner.ts";

/** What lies between two values; null where the range is open. */
export interface Range {
  from: Written | null;
  to: Written | null;
  /** Whether the ends are in it. */
  hasFrom: boolean;
  hasTo: boolean;
}

const moment = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(Z|[+-]\d\d:\d\d)?)?$/;
const dayMs = 24 * 3_600_000;

/** @throws {QueryError} */
export function testOf(kind: FieldKind, written: Written): Test {
  const { text, isOpen, at } = written;
  if (isOpen && text === "") return { is: "any" };
  switch (kind) {
    case "part":
      throw new QueryError(at, "only * can be asked of it, whether it is there; its fields have values");
    case "word":
      return isOpen ? { is: "prefix", of: text } : { is: "equal", to: text };
    case "text":
      return { is: "containing", of: text.toLowerCase() };
    case "truth":
      if (text !== "true" && text !== "false") throw new QueryError(at, "it must be true or false");
      return { is: "equal", to: text === "true" };
    case "number":
    case "date": {
      const [from, to] = extentOf(kind, written);
      return { is: "within", from, to };
    }
  }
}

/** @throws {QueryError} */
export function rangeTest(kind: FieldKind, { from, to, hasFrom, hasTo }: Range, at: number): Test {
  if (kind !== "date" && kind !== "number") {
    throw new QueryError(at, "only date and details.experiment.epoch have ranges; of others, a value may end in *");
  }
  // Days and minutes are long: with its end in a range all of it is, without none of it.
  const first =
    from === null ? Number.NEGATIVE_INFINITY : hasFrom ? extentOf(kind, from)[0] : extentOf(kind, from)[1] + 1;
  const last = to === null ? Number.POSITIVE_INFINITY : hasTo ? extentOf(kind, to)[1] : extentOf(kind, to)[0] - 1;
  return { is: "within", from: first, to: last };
}

/** First and last of the whole numbers, or milliseconds, that a value stands for. */
function extentOf(kind: "date" | "number", { text, isOpen, at }: Written): [number, number] {
  if (isOpen)
    throw new QueryError(at, `a ${kind} cannot end in *; take a range, such as [${text === "" ? "1" : text} TO *]`);
  if (kind === "number") {
    if (!/^-?\d{1,15}$/.test(text)) throw new QueryError(at, "it must be a whole number");
    return [Number(text), Number(text)];
  }
  const [, day = "", minute, second, fraction, zone = "Z"] = moment.exec(text) ?? [];
  const start = Date.parse(`${day}T${minute ?? "00:00"}:${second ?? "00"}.${(fraction ?? "0").padEnd(3, "0")}${zone}`);
  const isOnCalendar = day !== "" && new Date(Date.parse(`${day}T00:00:00Z`) || 0).toISOString().startsWith(day);
  if (Number.isNaN(start) || !isOnCalendar) {
    throw new QueryError(at, "it must be a day or a time there is, such as 2030-01-31 or 2030-01-31T12:00:00Z");
  }
  const length = minute === undefined ? dayMs : second === undefined ? 60_000 : fraction === undefined ? 1_000 : 1;
  return [start, start + length - 1];
}
