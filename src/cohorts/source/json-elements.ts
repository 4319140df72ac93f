/**
 * Finds the elements of a JSON array in a text that comes in pieces, without holding more than one of them. Only where
 * each begins and ends is found here; what it says is `JSON.parse`'s business.
 */

/** Longer than any id with what may stand around it; a source that has such is broken. */
const longestElement = 64 * 1024;

export class SourceSyntaxError extends Error {}

type Expecting = "start" | "element" | "next" | "nothing";

export interface ElementScanner {
  /** The elements that ended within this piece, as JSON text. @throws {SourceSyntaxError} naming the character */
  push(piece: string): string[];
  /** @throws {SourceSyntaxError} when the text ended in the middle */
  end(): void;
  /** Whether the array has ended. */
  isOver(): boolean;
}

/** @param options.inside whether the opening bracket has been read already; then what follows the closing one is left alone */
export function createElementScanner(options: { inside?: boolean } = {}): ElementScanner {
  const inside = options.inside === true;
  let expecting: Expecting = inside ? "element" : "start";
  let seen = 0;
  let element = "";
  let depth = 0;
  let inString = false;
  let escaped = false;
  let count = 0;

  const fail = (what: string): never => {
    throw new SourceSyntaxError(`character ${seen}: ${what}`);
  };

  /** How far into `piece` the element reaches that begins or goes on at `from`; its length when it goes on after it. */
  function endOfElement(piece: string, from: number): number {
    for (let at = from; at < piece.length; at++) {
      const character = piece[at] as string;
      if (inString) {
        if (escaped) escaped = false;
        else if (character === "\\") escaped = true;
        else if (character === '"') inString = false;
      } else if (character === '"') inString = true;
      else if (character === "[" || character === "{") depth++;
      else if (depth > 0 && (character === "]" || character === "}")) depth--;
      else if (depth === 0 && (character === "," || character === "]" || character === "}")) return at;
    }
    return piece.length;
  }

  return {
    isOver: () => expecting === "nothing",
    push(piece) {
      const found: string[] = [];
      let at = 0;
      while (at < piece.length) {
        const character = piece[at] as string;
        if (expecting === "element") {
          const end = endOfElement(piece, at);
          element += piece.slice(at, end);
          seen += end - at;
          at = end;
          if (element.length > longestElement) fail(`an element of more than ${longestElement} characters`);
          if (at === piece.length) break;
          const text = element.trim();
          const isLast = piece[at] === "]";
          if (text !== "") {
            found.push(text);
            count++;
          } else if (!(isLast && count === 0)) fail("an element is missing");
          element = "";
          expecting = "next";
          continue;
        }
        at++;
        seen++;
        if (expecting === "next") {
          if (character === ",") expecting = "element";
          else if (character === "]") {
            expecting = "nothing";
            if (inside) break;
          } else fail(`must be "," or "]", not ${JSON.stringify(character)}`);
        } else if (!/\s/.test(character) && !(expecting === "start" && seen === 1 && character === "\uFEFF")) {
          if (expecting === "start" && character === "[") expecting = "element";
          else fail(expecting === "start" ? "must be a JSON array" : "must end after the array");
        }
      }
      return found;
    },
    end() {
      if (expecting !== "nothing") fail("ends in the middle of the array");
    },
  };
}
