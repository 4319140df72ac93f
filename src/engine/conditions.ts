import { type EqualityRule, equalityKey } from "./equality-index.ts";
import type { Condition } from "./flag.ts";
import { compilePattern } from "./pattern.ts";
import type { Reading } from "./reading.ts";
import { Text } from "./text.ts";
import { compareVersions, type Version } from "./version.ts";

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

type Comparison = <T extends number | string>(a: T, b: T) => boolean;

const comparisons = new Map<string, Comparison>([
  ["less", (a, b) => a < b],
  ["less or equal", (a, b) => a <= b],
  ["greater", (a, b) => a > b],
  ["greater or equal", (a, b) => a >= b],
]);

function compileNumbers(holds: Comparison, values: readonly string[]): TextTest {
  const numbers = values.map(Number);
  return (text) => numbers.some((number) => holds(text.number, number));
}

function compileVersions(holds: Comparison, values: readonly string[]): TextTest {
  const versions = values.map((value) => new Text(value).version).filter((version): version is Version => !!version);
  const asText: TextTest = ({ text }) => values.some((value) => holds(text, value));
  if (versions.length === 0) return asText;
  return (text) => {
    const own = text.version;
    return own === undefined ? asText(text) : versions.some((version) => holds(compareVersions(own, version), 0));
  };
}

function compileContains(values: readonly string[], negated: boolean): TextTest {
  const parts = values.map((value) => value.toLowerCase());
  return ({ lower }) => parts.some((part) => lower.includes(part)) !== negated;
}

function compileRegex(values: readonly string[], negated: boolean): TextTest {
  const patterns = values.map(compilePattern);
  return ({ text }) => {
    const answers = patterns.map((matches) => matches(text));
    // A value that is too long to be matched is treated like a missing one.
    return !answers.includes(undefined) && answers.includes(true) !== negated;
  };
}

/** What a non-set operator asks of a single text. */
function compileTextTest({ op, values }: Condition): TextTest {
  if (op === "contains" || op === "does not contain") return compileContains(values, op !== "contains");
  if (op === "regex match" || op === "regex does not match") return compileRegex(values, op !== "regex match");
  const numeric = comparisons.get(op);
  if (numeric !== undefined) return compileNumbers(numeric, values);
  const versioned = op.startsWith("version ") ? comparisons.get(op.slice("version ".length)) : undefined;
  return versioned === undefined ? () => false : compileVersions(versioned, values);
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
