import { equalityKey } from "./equality-index.ts";
import type { Condition } from "./flag.ts";
import { compilePattern } from "./pattern.ts";
import type { Property, Reading } from "./property.ts";
import { Text } from "./text.ts";
import { compareVersions, type Version } from "./version.ts";

/** A compiled condition. */
export interface Test {
  readonly property: Property;
  readonly condition: Condition;
  matches(reading: Reading): boolean;
}

type TextTest = (text: Text) => boolean;
type ListTest = (reading: Reading) => boolean;

const never = (): boolean => false;

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

function whenMissing(op: string, values: readonly string[]): boolean {
  if (holdsWhenNoneListed.has(op)) return values.includes(none);
  return holdsUnlessNoneListed.has(op) && !values.includes(none);
}

/** `is`, `is not`, `set contains any`, `set does not contain any`: answered by the property's equality index. */
class EqualityTest implements Test {
  readonly property: Property;
  readonly condition: Condition;
  readonly #word: number;
  readonly #mask: number;
  readonly #negated: boolean;
  readonly #ofSets: boolean;
  readonly #whenMissing: boolean;

  constructor(property: Property, condition: Condition) {
    const number = property.addEquality(condition.values);
    this.property = property;
    this.condition = condition;
    this.#word = number >> 5;
    this.#mask = 1 << (number & 31);
    this.#negated = condition.op === "is not" || condition.op === "set does not contain any";
    this.#ofSets = condition.op.startsWith("set");
    this.#whenMissing = whenMissing(condition.op, condition.values);
  }

  matches(reading: Reading): boolean {
    switch (reading.kind) {
      case "missing":
        return this.#whenMissing;
      case "text":
        return !this.#ofSets && this.#isIn(reading.any) !== this.#negated;
      case "list":
        // `is not` holds when any element is unlike all values, so it fails only when every element is listed.
        return this.#isIn(this.#negated && !this.#ofSets ? reading.all : reading.any) !== this.#negated;
      default:
        return false;
    }
  }

  #isIn(bits: Int32Array): boolean {
    return ((bits[this.#word] ?? 0) & this.#mask) !== 0;
  }
}

class OperatorTest implements Test {
  readonly property: Property;
  readonly condition: Condition;
  readonly #whenMissing: boolean;
  readonly #onText: TextTest;
  readonly #onList: ListTest;

  constructor(property: Property, condition: Condition, onText: TextTest, onList: ListTest) {
    this.property = property;
    this.condition = condition;
    this.#whenMissing = whenMissing(condition.op, condition.values);
    this.#onText = onText;
    this.#onList = onList;
  }

  matches(reading: Reading): boolean {
    if (reading.text !== undefined) return this.#onText(reading.text);
    if (reading.list !== undefined) return this.#onList(reading);
    return reading.kind === "missing" && this.#whenMissing;
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

function compileTextTest(op: string, values: readonly string[]): TextTest {
  switch (op) {
    case "contains":
    case "does not contain": {
      const parts = values.map((value) => value.toLowerCase());
      const negated = op === "does not contain";
      return ({ lower }) => parts.some((part) => lower.includes(part)) !== negated;
    }
    case "regex match":
    case "regex does not match": {
      const patterns = values.map(compilePattern);
      const negated = op === "regex does not match";
      return ({ text }) => {
        const answers = patterns.map((matches) => matches(text));
        // A value that is too long to be matched is treated like a missing one.
        return !answers.includes(undefined) && answers.includes(true) !== negated;
      };
    }
  }
  const numbers = comparisons.get(op);
  if (numbers !== undefined) return compileNumbers(numbers, values);
  const versions = op.startsWith("version ") ? comparisons.get(op.slice("version ".length)) : undefined;
  return versions === undefined ? never : compileVersions(versions, values);
}

function compileListTest(op: string, values: readonly string[], onText: TextTest): ListTest {
  switch (op) {
    case "set is":
    case "set is not": {
      const wanted = new Set(values);
      const negated = op === "set is not";
      return ({ list }) => {
        const own = new Set(list);
        return (own.size === wanted.size && wanted.isSubsetOf(own)) !== negated;
      };
    }
    case "set contains":
    case "set does not contain": {
      const wanted = new Set(values.map(equalityKey));
      const negated = op === "set does not contain";
      return ({ list = [], keys }) => (list.length >= values.length && wanted.isSubsetOf(keys)) !== negated;
    }
    default:
      return ({ elements }) => elements.some(onText);
  }
}

const equalityOperators = new Set(["is", "is not", "set contains any", "set does not contain any"]);

/**
 * Compiles one condition, with experiment-core's meaning of each operator; an unknown operator never holds.
 * @throws PatternError when a regular expression is refused.
 */
export function compileCondition(property: Property, condition: Condition): Test {
  const { op, values } = condition;
  if (equalityOperators.has(op)) return new EqualityTest(property, condition);
  const onText = compileTextTest(op, values);
  return new OperatorTest(property, condition, onText, compileListTest(op, values, onText));
}
