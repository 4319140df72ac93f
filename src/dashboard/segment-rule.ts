/** A segment's rules as rows of conditions, which people read and write, and back. */
import { type SegmentExpression, type SegmentRule, segmentAttributes } from "../model/segment.ts";
import { memberPath } from "./forms/keyed.ts";
import type { Read } from "./forms/read-form.ts";
import type { Names } from "./parts/allocation.tsx";

export const attributes = [...segmentAttributes, "cohort"] as const;

/** Operator, and whether it stands under `not_match`. */
const operators = {
  is: ["is any of", "", false],
  contains: ["contains", "contains", false],
  starts_with: ["starts with", "starts_with", false],
  ends_with: ["ends with", "ends_with", false],
  is_not: ["is none of", "", true],
  not_contains: ["does not contain", "contains", true],
  not_starts_with: ["does not start with", "starts_with", true],
  not_ends_with: ["does not end with", "ends_with", true],
  exists: ["is known", "exists", false],
  not_exists: ["is not known", "exists", true],
} as const;
type Operator = keyof typeof operators;

export const operatorOptions = Object.entries(operators).map(([value, [label]]) => ({ value, label }));

export interface Condition {
  attribute: string;
  operator: Operator;
  values: string[];
}

/** @param names of cohorts, which are shown by name */
export function conditionsOf(rule: SegmentRule, names: Names): Condition[] {
  const under = (of: object | undefined, isNot: boolean): Condition[] =>
    Object.entries((of ?? {}) as Record<string, SegmentExpression>).map(([attribute, expression]) => {
      const [, name = "", value] = Array.isArray(expression)
        ? []
        : (Object.entries(expression).map(([key, one]) => [0, key, one])[0] ?? []);
      if (name === "exists") {
        return { attribute, operator: (value === true) !== isNot ? "exists" : "not_exists", values: [] };
      }
      const texts = (Array.isArray(expression) ? expression : value) as string[];
      const operator = Object.entries(operators).find(([, [, key, not]]) => key === name && not === isNot);
      return {
        attribute,
        operator: (operator?.[0] ?? "is") as Operator,
        values: attribute === "cohort" ? texts.map((id) => names.get(id) ?? id) : texts,
      };
    });
  return [...under(rule.match, false), ...under(rule.not_match, true)];
}

/** Conditions of one rule in words, each with all its values. */
export function wordsOf(condition: Condition): string {
  const [words] = operators[condition.operator];
  const list = condition.values.map((value) => (value === "" ? "(empty)" : value));
  return [condition.attribute.replaceAll("_", " "), words, list.join(" or ")].filter(Boolean).join(" ");
}

/** @param ids of cohorts by name */
export function shapeRules(read: Read, ids: ReadonlyMap<string, string>): Read {
  const places: [string, string][] = [];
  const faults = new Map(read.faults);
  const controlOf = new Map(read.places);
  const rules = ((read.body.rules ?? []) as { conditions?: Condition[] }[]).map(({ conditions = [] }, place) => {
    const rule: Record<string, Record<string, unknown>> = {};
    const row = controlOf.get(`rules[${place}]`) ?? `rules[${place}]`;
    conditions.forEach((condition, index) => {
      const [, key, isNot] = operators[condition.operator] ?? operators.is;
      const side = isNot && key !== "exists" ? "not_match" : "match";
      const control = controlOf.get(`${row}.conditions[${index}]`) ?? `${row}.conditions[${index}]`;
      rule[side] ??= {};
      if (Object.hasOwn(rule[side], condition.attribute)) {
        faults.set(
          `${control}.attribute`,
          "another condition of this rule asks the same of it: give it more values there",
        );
      }
      rule[side][condition.attribute] = expressionOf(condition, key, isNot, ids);
      places.push([`rules[${place}].${side}${memberPath(condition.attribute)}`, `${control}.values`]);
    });
    places.push([`rules[${place}]`, row]);
    return rule;
  });
  return { body: { ...read.body, rules }, faults, places: [...places, ...read.places] };
}

function expressionOf(
  { attribute, values = [] }: Condition,
  key: string,
  isNot: boolean,
  ids: ReadonlyMap<string, string>,
): unknown {
  if (key === "exists") return { exists: !isNot };
  const list = attribute === "cohort" ? values.map((name) => ids.get(name) ?? name) : values;
  return key === "" ? list : { [key]: list };
}
