import type { EqualityRule } from "./equality-index.ts";
import { equalityKey } from "./equality-key.ts";
import type { Condition } from "./flag.ts";
import { compilePattern } from "./pattern.ts";
import type { Reading } from "./reading.ts";
import type { Text } from "./text.ts";
import { compareVersions, parseVersion } from "./version.ts";

type TextTest = (text: Text) => boolean;
type ReadingTest = (reading: Reading) => boolean;

/** Stands among a condition's values for "the property is missing". */
const none = "(none)";

const holdsWhenNoneListed = new Set([
  "is",
  "contains",
  "less",
  "less or equal",
  "greater",
  "greater or equal",
  "version less",
  "version less or equal",
  "version greater",
  "version greater or equal",
  "set is",
  "set contains",
  "set contains any",
]);
const holdsUnlessNoneListed = new Set([
  "is not",
  "does not contain",
  "set does not contain",
  "set does not contain any",
]);

function holdsWhenMissing({ op, values }: Condition): boolean {
  if (holdsWhenNoneListed.has(op)) return values.includes(none);
  return holdsUnlessNoneListed.has(op) && !values.includes(none);
}

/** How an equality condition is to be entered in its property's index; undefined when it is another condition. */
export function findEqualityRule(condition: Condition): EqualityRule | undefined {
  const whenMissing = holdsWhenMissing(condition);
  switch (condition.op) {
    case "is":
      return { negated: false, ofSets: false, whenMissing };
    case "is not":
      return { negated: true, ofSets: false, whenMissing };
    case "set contains any":
      return { negated: false, ofSets: true, whenMissing };
    case "set does not contain any":
      return { negated: true, ofSets: true, whenMissing };
    default:
      return undefined;
  }
}

/** Whether `sign`, that of property minus value, satisfies an operator. */
const comparisons = new Map<string, (sign: number) => boolean>([
  ["less", (sign) => sign < 0],
  ["less or equal", (sign) => sign <= 0],
  ["greater", (sign) => sign > 0],
  ["greater or equal", (sign) => sign >= 0],
]);

const compare = <T extends number | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

/** The easiest of several values to satisfy: the greatest for `less`, the least for `greater`. */
function findEasiest<T>(op: string, values: readonly T[], order: (a: T, b: T) => number): T | undefined {
  const ascending = values.toSorted(order);
  return op.includes("less") ? ascending.at(-1) : ascending[0];
}

function compileNumbers(op: string, holds: (sign: number) => boolean, values: readonly string[]): TextTest {
  const numbers = values.map(Number).filter((number) => !Number.isNaN(number));
  const easiest = findEasiest(op, numbers, compare);
  if (easiest === undefined) return () => false;
  return ({ number }) => !Number.isNaN(number) && holds(compare(number, easiest));
}

function compileVersions(op: string, holds: (sign: number) => boolean, values: readonly string[]): TextTest {
  const versions = values.map(parseVersion).filter((version) => version !== undefined);
  const easiest = findEasiest(op, versions, compareVersions);
  const easiestText = findEasiest(op, values, compare);
  return ({ text, version }) => {
    // Where there is no version on either side, experiment-core compares texts, with all values.
    if (easiest !== undefined && version !== undefined) return holds(compareVersions(version, easiest));
    return easiestText !== undefined && holds(compare(text, easiestText));
  };
}

function compileContains(values: readonly string[], negated: boolean): TextTest {
  const parts = values.map((value) => value.toLowerCase());
  return ({ lower }) => parts.some((part) => lower.includes(part)) !== negated;
}

function compileRegex(values: readonly string[], negated: boolean): TextTest {
  const patterns = values.map(compilePattern);
  const shortest = Math.min(...patterns.map((pattern) => pattern.maxLength));
  return ({ text }) => {
    const isMatch = patterns.some((pattern) => text.length <= pattern.maxLength && pattern.matches(text));
    // A value that is too long for one of them may match it or not: like a missing one, it is false either way.
    return negated ? !isMatch && text.length <= shortest : isMatch;
  };
}

/** What a non-set operator asks of a single text. */
function compileTextTest({ op, values }: Condition): TextTest {
  if (op === "contains" || op === "does not contain") return compileContains(values, op !== "contains");
  if (op === "regex match" || op === "regex does not match") return compileRegex(values, op !== "regex match");
  const numeric = comparisons.get(op);
  if (numeric !== undefined) return compileNumbers(op, numeric, values);
  const versioned = op.startsWith("version ") ? comparisons.get(op.slice("version ".length)) : undefined;
  return versioned === undefined ? () => false : compileVersions(op, versioned, values);
}

/** What a set operator asks of a list; undefined for other operators. */
function compileListTest({ op, values }: Condition): ReadingTest | undefined {
  if (op === "set is" || op === "set is not") {
    const wanted = new Set(values);
    return ({ list }) => {
      const own = new Set(list);
      return (own.size === wanted.size && wanted.isSubsetOf(own)) === (op === "set is");
    };
  }
  if (op === "set contains" || op === "set does not contain") {
    const wanted = new Set(values.map(equalityKey));
    return ({ list = [], keys }) =>
      (list.length >= values.length && wanted.isSubsetOf(keys)) === (op === "set contains");
  }
  return undefined;
}

/**
 * Compiles a condition that is not about equality, with experiment-core's meaning of each operator; an unknown operator
 * never holds.
 * @throws PatternError when a regular expression is refused.
 */
export function compileTest(condition: Condition): ReadingTest {
  const whenMissing = holdsWhenMissing(condition);
  const onList = compileListTest(condition);
  if (onList !== undefined) {
    return (reading) => (reading.kind === "missing" ? whenMissing : reading.kind === "list" && onList(reading));
  }
  const onText = compileTextTest(condition);
  return (reading) => {
    if (reading.text !== undefined) return onText(reading.text);
    return reading.kind === "missing" ? whenMissing : reading.elements.some(onText);
  };
}
