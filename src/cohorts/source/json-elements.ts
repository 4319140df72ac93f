/**
 * Finds the elements of a JSON array in a text that comes in pieces. Only where they end is found here, jumping from quote
 * to quote; what they say is `JSON.parse`'s business, many at once.
 */
import { SourceError } from "./source-error.ts";

/** Longer than any id with what may stand around it; a source that has such is broken. */
const longestElement = 64 * 1024;

/** JSON's white space and nothing else. */
export const blank = /^[ \t\r\n]*$/;

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

export interface ElementScanner {
  /** The elements that ended within this piece. @throws {SourceError} naming the character or the element */
  push(piece: string): unknown[];
  /** @throws {SourceError} when the text ended in the middle */
  end(): void;
  /** What followed the closing bracket in the piece that held it; null before. */
  remainder(): string | null;
}

/** For what follows the opening bracket of an array. */
export function createElementScanner(): ElementScanner {
  /** What has no end yet, from its first character, and how far it has been looked at. */
  let open = "";
  let looked = 0;
  let depth = 0;
  let inString = false;
  /** Elements that ended, and characters up to `open`. */
  let count = 0;
  let passed = 0;
  let remainder: string | null = null;

  const fail = (at: number, what: string): never => {
    throw new SourceError("syntax", `character ${passed + at + 1} of the array: ${what}`);
  };

  /** Elements of `text` that end at these commas, the last of them (or the bracket) at `end`. */
  function take(text: string, commas: readonly number[], end: number, isLast: boolean): unknown[] {
    const part = text.slice(0, end);
    if (blank.test(part)) {
      if (isLast && count === 0) return [];
      fail(end, "an element is missing");
    }
    let values: unknown[];
    try {
      values = JSON.parse(`[${part}]`) as unknown[];
    } catch {
      throw findBroken(text, [...commas.filter((at) => at < end), end], count);
    }
    count += values.length;
    return values;
  }

  return {
    remainder: () => remainder,
    push(piece) {
      const text = open + piece;
      const commas: number[] = [];
      let at = looked;
      for (; at < text.length; at++) {
        if (inString) {
          at = text.indexOf('"', at);
          if (at < 0) break;
          if (!isEscaped(text, at)) inString = false;
          continue;
        }
        const code = text.charCodeAt(at);
        if (code === quote) inString = true;
        else if (code === openBracket || code === openBrace) depth++;
        else if (depth > 0) {
          if (code === closeBracket || code === closeBrace) depth--;
        } else if (code === comma) commas.push(at);
        else if (code === closeBracket) {
          remainder = text.slice(at + 1);
          return take(text, commas, at, true);
        } else if (code === closeBrace) fail(at, 'must be "," or "]", not "}"');
      }
      const end = commas.at(-1);
      const found = end === undefined ? [] : take(text, commas, end, false);
      open = end === undefined ? text : text.slice(end + 1);
      passed += text.length - open.length;
      looked = open.length;
      if (looked > longestElement) fail(0, `an element of more than ${longestElement} characters`);
      return found;
    },
    end() {
      if (remainder === null) fail(looked, "ends in the middle of the array");
    },
  };
}

/** Whether an odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && text.charCodeAt(before) === backslash) before--;
  return (at - before) % 2 === 0;
}

/** Of elements that are no JSON together, the first that is none by itself. */
function findBroken(text: string, ends: readonly number[], before: number): SourceError {
  let from = 0;
  let number = before;
  for (const end of ends) {
    const element = text.slice(from, end).trim();
    number++;
    from = end + 1;
    if (!isJson(element)) return new SourceError("syntax", `element ${number}: ${describeText(element)}`);
  }
  return new SourceError("syntax", `element ${before + 1} or after: is not JSON`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What a text is that should be JSON. Only of markup, which is an error page, more is told: the rest may be ids. */
export function describeText(text: string): string {
  if (text === "") return "is missing";
  const shown = text.startsWith("<") ? text.slice(0, 80) : `${[...text.slice(0, 2)][0]}…`;
  return `is not JSON: ${JSON.stringify(shown)}`;
}
