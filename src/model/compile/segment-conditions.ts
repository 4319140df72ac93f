/**
 * A segment's rules as engine conditions (any of the outer list, all of an inner one).
 *
 * The engine reads a text that is a JSON array as the list of its elements, and then a condition holds if it holds of any
 * element, negated or not. Attributes are plain text, so this only shows where a visitor makes one look like an array.
 * It also takes the text `(none)` for a missing attribute; rules here do so only in `exists` and where a negation has to
 * let a missing attribute through.
 */
import type { Condition } from "../../engine/flag.ts";
import {
  type Segment,
  type SegmentAttribute,
  type SegmentExpression,
  type SegmentRule,
  segmentAttributes,
} from "../segment.ts";
import { cohortIdsSelector } from "./cohort-conditions.ts";

const NONE = "(none)";

/** All of these. */
type Branch = readonly Condition[];

/**
 * The most branches a rule may compile to. Each `not_match` by `starts_with` or `ends_with` doubles them, because the
 * engine has no one condition for "missing, or not matching this expression".
 */
export const maxBranches = 64;

/** The conditions under which `segment` matches: some branch's conditions all hold. */
export function segmentConditions(segment: Pick<Segment, "rules">): Branch[] {
  return segment.rules.flatMap(ruleBranches);
}

/** How many branches `rule` compiles to; more than `maxBranches` must be refused before compiling. */
export function branchCount(rule: SegmentRule): number {
  return entries(rule.not_match).reduce((count, [attribute, wanted]) => count * unlike(attribute, wanted).length, 1);
}

/**
 * The form in which values of `attribute` are compared: our own enumerations in lower case, countries in upper case, all
 * else as it is. Whoever fills the context gives it the same form.
 */
export function foldAttribute(attribute: string, value: string): string {
  if (attribute === "device_type" || attribute === "browser" || attribute === "platform") return value.toLowerCase();
  return attribute === "country" ? value.toUpperCase() : value;
}

function ruleBranches(rule: SegmentRule): Branch[] {
  const matching = entries(rule.match).map(([attribute, wanted]) => [[like(attribute, wanted)]]);
  const notMatching = entries(rule.not_match).map(([attribute, wanted]) => unlike(attribute, wanted));
  const cohorts = [
    ...cohortCondition(rule.match, "set contains any"),
    ...cohortCondition(rule.not_match, "set does not contain any"),
  ];
  return [...matching, ...notMatching, ...cohorts].reduce<Branch[]>(
    (branches, alternatives) =>
      branches.flatMap((branch) => alternatives.map((alternative) => [...branch, ...alternative])),
    [[]],
  );
}

function cohortCondition(attributes: SegmentRule["match"], op: string): Branch[][] {
  const ids = attributes?.cohort;
  return ids === undefined ? [] : [[[{ selector: cohortIdsSelector, op, values: ids }]]];
}

/** All but cohorts. In one order, whatever order a rule was written in. */
function entries(attributes: SegmentRule["match"]): [SegmentAttribute, SegmentExpression][] {
  return segmentAttributes.flatMap((attribute) => {
    const wanted = attributes?.[attribute];
    return wanted === undefined ? [] : [[attribute, wanted] as [SegmentAttribute, SegmentExpression]];
  });
}

function like(attribute: SegmentAttribute, wanted: SegmentExpression): Condition {
  const { op, values } = operation(attribute, wanted);
  return condition(attribute, op, values);
}

/** The opposite of `like`, which a missing attribute satisfies: any of these branches. */
function unlike(attribute: SegmentAttribute, wanted: SegmentExpression): Branch[] {
  const { op, values } = operation(attribute, wanted);
  const opposite = condition(attribute, negated[op], values);
  // A missing attribute fails `regex does not match` as it fails `regex match`, so it needs a branch of its own.
  return op === "regex match" ? [[condition(attribute, "is", [NONE])], [opposite]] : [[opposite]];
}

const negated = {
  is: "is not",
  "is not": "is",
  contains: "does not contain",
  "regex match": "regex does not match",
} as const;

function operation(
  attribute: SegmentAttribute,
  wanted: SegmentExpression,
): { op: keyof typeof negated; values: string[] } {
  const fold = (values: string[]) => values.map((value) => foldAttribute(attribute, value));
  if (Array.isArray(wanted)) {
    const values = fold(wanted);
    // `is` gives these a meaning beyond equality: `(none)` is a missing attribute, booleans are equal in any case.
    if (!values.some((value) => value === NONE || /^(true|false)$/i.test(value))) return { op: "is", values };
    return { op: "regex match", values: values.map((value) => `^${literal(value)}$`) };
  }
  if ("exists" in wanted) return { op: wanted.exists ? "is not" : "is", values: [NONE] };
  // `contains` ignores case in the engine, so the one value that would mean "missing" can be written otherwise.
  if ("contains" in wanted) {
    return {
      op: "contains",
      values: fold(wanted.contains).map((value) => (value === NONE ? NONE.toUpperCase() : value)),
    };
  }
  if ("starts_with" in wanted) {
    return { op: "regex match", values: fold(wanted.starts_with).map((value) => `^${literal(value)}`) };
  }
  return { op: "regex match", values: fold(wanted.ends_with).map((value) => `${literal(value)}$`) };
}

/** A regular expression for exactly `text`: no repetition, hence nothing to backtrack into. */
export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function condition(attribute: SegmentAttribute, op: string, values: string[]): Condition {
  return { selector: ["context", "user", attribute], op, values };
}
