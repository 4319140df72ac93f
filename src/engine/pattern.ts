/**
 * Regular expressions that cannot run away. None is ever handed to the platform's backtracking matcher with a
 * context's value: what is accepted runs on an automaton, in time linear in the value.
 */
import { Automaton } from "./automaton.ts";
import { PatternError, parsePattern } from "./pattern-syntax.ts";

export { PatternError };

/** In UTF-16 code units. */
export const maxPatternLength = 1000;
/** Bounds the time of one match: the length of the value times the size of the automaton. */
const maxWork = 1 << 19;

/** Escapes of what would mean something else unescaped; any other means something itself. */
const anchoredText = /^(\^?)((?:[^\\^$.*+?()[\]{}|]|\\[\\^$.*+?()[\]{}|/])*)(\$?)$/;

export interface Pattern {
  /** In UTF-16 code units; a longer value must not be matched. It bounds the time of one match. */
  readonly maxLength: number;
  /** Whether some part of the text matches. */
  matches(text: string): boolean;
}

/**
 * Compiles a regular expression (ECMAScript, no flags). Its `maxLength` is 524,288 divided by the size of the automaton:
 * 524 for the largest expression, over 12,000 for one of 40 characters.
 * @throws PatternError when it is invalid, not regular (backreferences, look-around) or too large.
 */
export function compilePattern(source: string): Pattern {
  const literal = readLiteral(source);
  if (literal !== undefined) return literal;
  if (source.length > maxPatternLength) {
    throw new PatternError(`the regular expression is longer than ${maxPatternLength} characters`);
  }
  try {
    new RegExp(source);
  } catch (error) {
    throw new PatternError(error instanceof Error ? error.message : "invalid regular expression");
  }
  const automaton = new Automaton(parsePattern(source));
  return { maxLength: Math.floor(maxWork / automaton.size), matches: (text) => automaton.matches(text) };
}

/**
 * `^text`, `text$` or `^text$`, where text is nothing but characters: what prefixes and suffixes compile to. It takes no
 * automaton, and no value is too long for it.
 */
function readLiteral(source: string): Pattern | undefined {
  const [, starts, escaped = "", ends] = anchoredText.exec(source) ?? [];
  if (!starts && !ends) return undefined;
  const text = escaped.replace(/\\(.)/gs, "$1");
  if (starts && ends) return { maxLength: Number.POSITIVE_INFINITY, matches: (value) => value === text };
  return {
    maxLength: Number.POSITIVE_INFINITY,
    matches: starts ? (value) => value.startsWith(text) : (value) => value.endsWith(text),
  };
}

/** Why a regular expression would be refused, in words; undefined when it is accepted. For publishing. */
export function findPatternFault(source: string): string | undefined {
  try {
    compilePattern(source);
    return undefined;
  } catch (error) {
    if (error instanceof PatternError) return error.message;
    throw error;
  }
}
