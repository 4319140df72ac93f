/** The `memberIds` of Amplitude's cohort JSON, which stand last in an object of small fields, out of pieces of text. */
import { createElementScanner, type ElementScanner, SourceSyntaxError } from "./json-elements.ts";

const longestPrelude = 64 * 1024;

/** Elements as `createElementScanner` gives them. */
export function createAmplitudeScanner(): ElementScanner {
  const members = createElementScanner({ inside: true });
  let prelude = "";
  let postlude = "";
  let state: "before" | "within" | "after" = "before";

  return {
    isOver: () => state === "after",
    push(piece) {
      let rest = piece;
      if (state === "before") {
        prelude += piece;
        const start = startOfMembers(prelude);
        if (start === null) {
          if (prelude.length > longestPrelude) throw new SourceSyntaxError('no "memberIds" at the beginning');
          return [];
        }
        rest = prelude.slice(start);
        // What came before must be JSON too: a page that is none may well hold the word.
        prelude = prelude.slice(0, start);
        state = "within";
      }
      if (state === "within") {
        const { found, rest: behind } = takeMembers(members, rest);
        if (members.isOver()) {
          state = "after";
          postlude = behind;
        }
        return found;
      }
      postlude += rest;
      if (postlude.length > longestPrelude) throw new SourceSyntaxError('too much after "memberIds"');
      return [];
    },
    end() {
      if (state === "before") throw new SourceSyntaxError('no "memberIds"');
      members.end();
      try {
        JSON.parse(`${prelude.replace(/^\uFEFF/, "")}]${postlude}`);
      } catch {
        throw new SourceSyntaxError('what stands around "memberIds" is not JSON');
      }
    },
  };
}

/** What follows the closing bracket is given back. */
function takeMembers(members: ElementScanner, text: string): { found: string[]; rest: string } {
  const found: string[] = [];
  // In short steps, so that where the array ended is known to the character.
  for (let at = 0; at < text.length; ) {
    const close = text.indexOf("]", at);
    const end = close < 0 ? text.length : close + 1;
    for (const element of members.push(text.slice(at, end))) found.push(element);
    at = end;
    if (members.isOver()) return { found, rest: text.slice(at) };
  }
  return { found, rest: "" };
}

/** Just behind the opening bracket of the array; null while it has not come. */
function startOfMembers(text: string): number | null {
  let depth = 0;
  let key: string | null = null;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      let end = at + 1;
      while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
      if (end >= text.length) return null;
      if (depth === 1 && key === null) key = text.slice(at + 1, end);
      at = end;
    } else if (character === "[" && depth === 1 && key === "memberIds") return at + 1;
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    else if (character === "," && depth === 1) key = null;
  }
  return null;
}
