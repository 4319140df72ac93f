/** A JSON array of any length, alone or within a small object, out of a text that comes in pieces. */
import { blank, createElementScanner, describeText } from "./json-elements.ts";
import { SourceError } from "./source-error.ts";

/** What may stand before the array, and after it. */
const longestSurroundings = 64 * 1024;

export interface ArrayForm {
  /** Just behind the opening bracket; null while it has not come. @throws {SourceError} where it cannot come any more */
  findStart(before: string): number | null;
  /** What stands around the array, its brackets included; without an array, `after` is null. @throws {SourceError} */
  check(before: string, after: string | null): void;
}

export interface ArrayScanner {
  /** The elements that ended within this piece. @throws {SourceError} */
  push(piece: string): unknown[];
  /** @throws {SourceError} when the text ended in the middle */
  end(): void;
}

export function createArrayScanner({ findStart, check }: ArrayForm): ArrayScanner {
  const elements = createElementScanner();
  let before = "";
  let hasBegun = false;
  let after: string | null = null;

  return {
    push(piece) {
      if (after !== null) {
        after += piece;
        if (after.length > longestSurroundings) throw new SourceError("syntax", "too much after the array");
        return [];
      }
      let rest = piece;
      if (!hasBegun) {
        before += piece;
        const start = findStart(before);
        if (start === null) {
          if (before.length > longestSurroundings) throw new SourceError("syntax", "no array at the beginning");
          return [];
        }
        hasBegun = true;
        rest = before.slice(start);
        before = before.slice(0, start);
      }
      const found = elements.push(rest);
      const remainder = elements.remainder();
      if (remainder !== null) after = `]${remainder}`;
      return found;
    },
    end() {
      if (hasBegun) elements.end();
      check(before, after);
    },
  };
}

/** Nothing but the array. */
export const plainArray: ArrayForm = {
  findStart(before) {
    const text = before.trimStart();
    if (text === "") return null;
    if (text.startsWith("[")) return before.indexOf("[") + 1;
    throw new SourceError(
      "syntax",
      `must be a JSON array; ${text.startsWith("{") ? "is an object" : describeText(text)}`,
    );
  },
  check(_before, after) {
    if (after === null) throw new SourceError("syntax", "must be a JSON array; is blank");
    if (!blank.test(after.slice(1))) throw new SourceError("syntax", "must end after the array");
  },
};
