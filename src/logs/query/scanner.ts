/** Goes through a query from left to right, and says where it stood when something was wrong. */

export class QueryError extends Error {
  /** Counts characters of the query from 0. */
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** A value as it was written. */
export interface Written {
  /** Without quotes and backslashes. */
  text: string;
  /** Whether it ends in a `*` that stands for whatever may follow. */
  isOpen: boolean;
  at: number;
}

export interface Scanner {
  at(): number;
  /** Whether `sign` comes next; goes past it. */
  takes(sign: string): boolean;
  /** What fits a sticky pattern here, going past it; empty where nothing does. */
  take(pattern: RegExp): string;
  skipSpace(): void;
  /** A word, or a text in quotes; null where neither is. */
  takeValue(): Written | null;
  isAtEnd(): boolean;
  /** What comes next, for people. */
  shown(): string;
  /** @throws {QueryError} */
  fail(message: string, at?: number): never;
}

const endsWord = /[\s()[\]{}"]/;
const mostShown = 40;

export function createScanner(text: string): Scanner {
  let at = 0;

  function fail(message: string, place = at): never {
    throw new QueryError(place, message);
  }
  function take(pattern: RegExp): string {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? "";
    at += found.length;
    return found;
  }

  function takeQuoted(): Written {
    const start = at++;
    let value = "";
    for (; at < text.length; at++) {
      if (text[at] === '"') {
        at++;
        return { text: value, isOpen: false, at: start };
      }
      if (text[at] === "\\") at++;
      value += text.charAt(at);
    }
    return fail('the quote that begins here has no end; put a " behind it, and \\" for one within', start);
  }

  function takeWord(): Written | null {
    const start = at;
    let value = "";
    for (; at < text.length && !endsWord.test(text.charAt(at)); at++) {
      const character = text.charAt(at);
      if (character === "*" || character === "?") {
        const isLast = character === "*" && (at + 1 === text.length || endsWord.test(text.charAt(at + 1)));
        if (!isLast) fail(`${character} is for the end of a value, as in abc*; as itself it is written \\${character}`);
        at++;
        return { text: value, isOpen: true, at: start };
      }
      if (character === "\\") at++;
      value += text.charAt(at);
    }
    return at === start ? null : { text: value, isOpen: false, at: start };
  }

  return {
    at: () => at,
    takes(sign) {
      if (!text.startsWith(sign, at)) return false;
      at += sign.length;
      return true;
    },
    take,
    skipSpace: () => void take(/\s*/y),
    takeValue: () => (text[at] === '"' ? takeQuoted() : takeWord()),
    isAtEnd: () => at >= text.length,
    shown() {
      const [next] = /\S+/.exec(text.slice(at, at + mostShown)) ?? [];
      return next === undefined ? "the end" : JSON.stringify(next);
    },
    fail,
  };
}
