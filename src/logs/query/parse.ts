/**
 * Reads a question to the log, in the manner of Lucene: `type:(s OR ss) AND NOT details.experiment.id:"exp_…"`. AND binds
 * closer than OR, NOT closest. What cannot be read is refused with its place; nothing is guessed.
 */
import { type Field, fields } from "./fields.ts";
import type { Query, Test } from "./query.ts";
import { createScanner, QueryError, type Written } from "./scanner.ts";
import { rangeTest, testOf } from "./tests.ts";

export const longestQuery = 1_000;
const mostTerms = 50;
const deepest = 20;

/** In capitals and standing alone, or as signs. */
const operators = {
  and: /AND(?![^\s()"])|&&/y,
  or: /OR(?![^\s()"])|\|\|/y,
  not: /NOT(?![^\s()"])|!|-(?=[("A-Za-z_])/y,
};
const name = /[A-Za-z_][\w.]*(?=:)/y;

/** A field and its value, or one of several values of a field. */
type Leaf = () => Query;

/** @throws {QueryError} */
export function parseQuery(text: string): Query {
  const scanner = createScanner(text);
  const { takes, take, skipSpace, takeValue, fail, shown } = scanner;
  let termCount = 0;
  let depth = 0;

  function takeOperator(operator: keyof typeof operators): boolean {
    skipSpace();
    return take(operators[operator]) !== "";
  }

  function readAny(leaf: Leaf): Query {
    const parts = [readAll(leaf)];
    while (takeOperator("or")) parts.push(readAll(leaf));
    return joined("or", parts);
  }
  function readAll(leaf: Leaf): Query {
    const parts = [readPart(leaf)];
    while (takeOperator("and")) parts.push(readPart(leaf));
    return joined("and", parts);
  }
  function readPart(leaf: Leaf): Query {
    let isNegated = false;
    while (takeOperator("not")) isNegated = !isNegated;
    const part = takes("(") ? readBracket(leaf) : leaf();
    return isNegated ? { op: "not", part } : part;
  }
  function readBracket(leaf: Leaf): Query {
    const opened = scanner.at() - 1;
    if (++depth > deepest) fail(`brackets may stand ${deepest} deep at most`, opened);
    const inner = readAny(leaf);
    skipSpace();
    if (scanner.isAtEnd()) fail('the bracket that begins here has no end; put a ")" where it ends', opened);
    if (!takes(")")) fail(`${shown()}: AND, OR or ")" must come here`);
    depth--;
    return inner;
  }

  function readField(): Query {
    const at = scanner.at();
    const found = take(name);
    if (found === "")
      fail(`${shown()}: a field and its value must come here, such as type:s; AND, OR and NOT stand in capitals`);
    takes(":");
    if (found === "_exists_") {
      const { text = "", at: place = scanner.at() } = takeValue() ?? {};
      return term(text, fieldOf(text, place), { is: "any" });
    }
    const field = fieldOf(found, at);
    return takes("(") ? readBracket(() => readValue(found, field)) : readValue(found, field);
  }
  function fieldOf(text: string, at: number): Field {
    const field = fields.get(text);
    return (
      field ??
      fail(`there is no field ${JSON.stringify(text.slice(0, 40))}; there are ${[...fields.keys()].join(", ")}`, at)
    );
  }

  function readValue(found: string, field: Field): Query {
    const at = scanner.at();
    const bracket = take(/[[{]/y);
    if (bracket !== "") return term(found, field, readRange(field, { at, hasFrom: bracket === "[" }));
    const sign = take(/[<>]=?/y);
    const written = takeValue() ?? fail(`${shown()}: a value of ${found} must come here`);
    if (sign === "") return term(found, field, testOf(field.kind, written));
    const isEndIn = sign.endsWith("=");
    const ends = sign.startsWith(">") ? { from: written, to: null } : { from: null, to: written };
    return term(found, field, rangeTest(field.kind, { ...ends, hasFrom: isEndIn, hasTo: isEndIn }, at));
  }
  function readRange(field: Field, { at, hasFrom }: { at: number; hasFrom: boolean }): Test {
    const malformed = () =>
      fail("a range is written [from TO to], or {from TO to} without its ends; * leaves one open", at);
    const readEnd = (): Written | null => {
      skipSpace();
      const written = takeValue() ?? malformed();
      return written.isOpen && written.text === "" ? null : written;
    };
    const from = readEnd();
    skipSpace();
    if (take(/TO(?=\s)/y) === "") malformed();
    const to = readEnd();
    skipSpace();
    const bracket = take(/[\]}]/y);
    if (bracket === "") malformed();
    return rangeTest(field.kind, { from, to, hasFrom, hasTo: bracket === "]" }, at);
  }
  function term(found: string, field: Field, test: Test): Query {
    if (++termCount > mostTerms) fail(`it may hold ${mostTerms} values at most`);
    return { op: "term", name: found, field, test };
  }

  if (text.length > longestQuery) fail(`it may have ${longestQuery} characters at most`, longestQuery);
  const query = readAny(readField);
  skipSpace();
  if (!scanner.isAtEnd()) fail(`${shown()}: AND or OR must come here, or the end`);
  return query;
}

function joined(op: "and" | "or", parts: readonly [Query, ...Query[]] | Query[]): Query {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { op, parts };
}

/** What is wrong with a query, for people; null when nothing is. */
export function findQueryFault(text: string): string | null {
  try {
    parseQuery(text);
    return null;
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return `at character ${error.at + 1}: ${error.message}`;
  }
}
