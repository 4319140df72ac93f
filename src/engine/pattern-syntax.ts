/**
 * Reads ECMAScript regular expressions without flags, Annex B included, as far as they are regular in the sense of
 * language theory: what needs backtracking (backreferences, look-around) is refused.
 */
import { type CodeUnits, digits, invert, lineEnds, spaces, unite, wordUnits } from "./code-units.ts";

export type PatternNode =
  | { kind: "units"; units: CodeUnits }
  | { kind: "sequence"; items: readonly PatternNode[] }
  | { kind: "choice"; options: readonly PatternNode[] }
  | { kind: "repeat"; item: PatternNode; min: number; max: number }
  | { kind: "assertion"; holds: Assertion };

export type Assertion = "at start" | "at end" | "at word boundary" | "inside or outside a word";

/** Why a regular expression is refused, in words. */
export class PatternError extends Error {}

const escapedSets = new Map<string, CodeUnits>([
  ["d", digits],
  ["D", invert(digits)],
  ["w", wordUnits],
  ["W", invert(wordUnits)],
  ["s", spaces],
  ["S", invert(spaces)],
]);
const controls = new Map([
  ["t", 0x09],
  ["n", 0x0a],
  ["v", 0x0b],
  ["f", 0x0c],
  ["r", 0x0d],
]);
const quantifiers = new Map([
  ["*", [0, Infinity]],
  ["+", [1, Infinity]],
  ["?", [0, 1]],
] as const);

const unit = (code: number): CodeUnits => [code, code];

class Parser {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): PatternNode {
    return this.#choice();
  }

  #peek(): string | undefined {
    return this.#source[this.#at];
  }

  #take(expected: string): boolean {
    if (!this.#source.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  /** The match of a sticky pattern here, which is then behind. The patterns are of fixed shape and cannot run away. */
  #takeMatch(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#at;
    const match = sticky.exec(this.#source) ?? undefined;
    if (match !== undefined) this.#at += match[0].length;
    return match;
  }

  #choice(): PatternNode {
    const options = [this.#sequence()];
    while (this.#take("|")) options.push(this.#sequence());
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: "choice", options };
  }

  #sequence(): PatternNode {
    const items: PatternNode[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek()) {
      items.push(this.#repeat(this.#term()));
    }
    return { kind: "sequence", items };
  }

  #repeat(item: PatternNode): PatternNode {
    const next = this.#peek();
    const simple = next === "*" || next === "+" || next === "?" ? quantifiers.get(next) : undefined;
    let bounds: readonly [min: number, max: number] | undefined = simple;
    if (simple !== undefined) this.#at++;
    else {
      const counted = this.#takeMatch(/\{(\d+)(,(\d*))?\}/y);
      if (counted === undefined) return item;
      const min = Number(counted[1]);
      bounds = [min, counted[2] === undefined ? min : counted[3] ? Number(counted[3]) : Infinity];
    }
    // Laziness changes which match is found, never whether there is one.
    this.#take("?");
    return bounds === undefined ? item : { kind: "repeat", item, min: bounds[0], max: bounds[1] };
  }

  #term(): PatternNode {
    if (this.#take("^")) return { kind: "assertion", holds: "at start" };
    if (this.#take("$")) return { kind: "assertion", holds: "at end" };
    if (this.#take("\\b")) return { kind: "assertion", holds: "at word boundary" };
    if (this.#take("\\B")) return { kind: "assertion", holds: "inside or outside a word" };
    if (this.#take("(")) return this.#group();
    if (this.#take(".")) return { kind: "units", units: invert(lineEnds) };
    if (this.#take("[")) return { kind: "units", units: this.#class() };
    if (this.#take("\\")) return { kind: "units", units: this.#escape() };
    return { kind: "units", units: unit(this.#source.charCodeAt(this.#at++)) };
  }

  #group(): PatternNode {
    if (!this.#take("?:") && !this.#takeMatch(/\?<[^=!>][^>]*>/y) && this.#take("?")) {
      throw new PatternError(
        /^<?[=!]/.test(this.#source.slice(this.#at, this.#at + 2))
          ? "look-ahead and look-behind are refused: they can make matching slow"
          : "inline flags are refused",
      );
    }
    const group = this.#choice();
    this.#take(")");
    return group;
  }

  /** What follows a backslash, in or out of a class. */
  #escape(): CodeUnits {
    const next = this.#peek() ?? "";
    const set = escapedSets.get(next);
    if (set !== undefined) {
      this.#at++;
      return set;
    }
    const code = controls.get(next);
    if (code !== undefined) {
      this.#at++;
      return unit(code);
    }
    const hex = this.#takeMatch(/x([\da-f]{2})|u([\da-f]{4})/iy);
    if (hex !== undefined) return unit(Number.parseInt(hex[1] ?? hex[2] ?? "", 16));
    const control = this.#takeMatch(/c([a-z])/iy)?.[1];
    if (control !== undefined) return unit(control.charCodeAt(0) & 31);
    if (this.#takeMatch(/0(?!\d)/y) !== undefined) return unit(0);
    if (/[\dk]/.test(next)) throw new PatternError(`\\${next} is refused: backreferences can make matching slow`);
    if (next === "c") throw new PatternError("\\c needs a letter");
    return unit(this.#source.charCodeAt(this.#at++));
  }

  #class(): CodeUnits {
    const inverted = this.#take("^");
    const parts: CodeUnits[] = [];
    while (!this.#take("]")) {
      const first = this.#classAtom();
      if (this.#peek() !== "-" || this.#source[this.#at + 1] === "]") {
        parts.push(first);
        continue;
      }
      this.#at++;
      const last = this.#classAtom();
      // Annex B: a set at either end makes the hyphen a plain character.
      if (isOne(first) && isOne(last)) parts.push([first[0] ?? 0, last[0] ?? 0]);
      else parts.push(first, unit(0x2d), last);
    }
    const units = unite(parts);
    return inverted ? invert(units) : units;
  }

  #classAtom(): CodeUnits {
    if (this.#take("\\b")) return unit(0x08);
    if (this.#take("\\")) return this.#escape();
    return unit(this.#source.charCodeAt(this.#at++));
  }
}

const isOne = (set: CodeUnits): boolean => set.length === 2 && set[0] === set[1];

/**
 * Reads a regular expression that `new RegExp(source)` accepts.
 * @throws PatternError when it is not regular.
 */
export function parsePattern(source: string): PatternNode {
  return new Parser(source).parse();
}
