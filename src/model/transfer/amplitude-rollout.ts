/** The segments of Amplitude's flag JSON as a flag's rollout. */
import * as v from "valibot";
import type { Condition, Flag, Segment } from "../../engine/flag.ts";
import { stickyProperty } from "../compile/flag-segments.ts";
import { nameSchema } from "../fields.ts";
import { type Rollout, targetSchema } from "../rollout.ts";
import { readShares, type Shares, weightsOf } from "./amplitude-shares.ts";

export interface RolloutReading {
  rollout: Rollout;
  /** The flag's variants in the order in which their shares are laid out. */
  variants: string[];
  /** By key of another flag, which of its variants let a subject through. */
  guards: Map<string, string[]>;
}

/** Says something about a segment. */
export type ReportSegment = (place: number, message: string) => void;

export interface Reports {
  /** What cannot be expressed. */
  problem: ReportSegment;
  /** What is expressed otherwise. */
  warning: ReportSegment;
}

/** Every subject gets what it gets from `flag`, unless there are problems. */
export function readRollout(flag: Flag, reports: Reports): RolloutReading {
  const keys = Object.keys(flag.variants).filter((key) => key !== "off");
  if (!Object.hasOwn(flag.variants, "off")) reports.problem(0, "needs the variant off, which the flag does not have");
  const guards = new Map<string, string[]>();
  const { segments } = flag;
  let place = 0;
  for (; readGuard(segments[place], guards); place++);
  const inclusions = readInclusions(segments, place, keys);
  const included = Object.keys(inclusions);
  place += included.length;
  const stickies = countStickies(segments, place, flag.key, keys);
  place += stickies;
  const parts = readTargets(flag, place, keys, included, reports);
  return {
    variants: parts.variants,
    guards,
    rollout: {
      ...parts.bucketing,
      ...(included.length > 0 ? { inclusions } : {}),
      ...(stickies > 0 ? { sticky_bucketing: true } : {}),
      ...parts.targets,
    },
  };
}

/** `off` for whom another flag did not give one of some variants. */
function readGuard(segment: Segment | undefined, guards: Map<string, string[]>): boolean {
  const { bucket, conditions, variant } = segment ?? {};
  if (bucket !== undefined || variant !== "off" || conditions === undefined || conditions.length === 0) return false;
  const found = conditions.map((branch) => {
    const [condition, ...others] = branch;
    const [root, key, field, ...rest] = condition?.selector ?? [];
    const isGuard =
      others.length === 0 && condition?.op === "is not" && root === "result" && field === "key" && rest.length === 0;
    return isGuard && key !== undefined ? { key, allowed: [...condition.values] } : undefined;
  });
  if (found.includes(undefined)) return false;
  for (const { key, allowed } of found.filter((one) => one !== undefined)) {
    const before = guards.get(key);
    guards.set(key, before === undefined ? allowed : before.filter((variant) => allowed.includes(variant)));
  }
  return true;
}

/** Those by id, one segment a variant; whatever else is in their place is targeting like any other. */
function readInclusions(
  segments: readonly Segment[],
  from: number,
  keys: readonly string[],
): NonNullable<Rollout["inclusions"]> {
  const found: NonNullable<Rollout["inclusions"]> = {};
  for (const { bucket, conditions = [], variant, metadata } of segments.slice(from)) {
    if (metadata?.segmentName !== "individual-inclusions" || bucket !== undefined || variant === undefined) break;
    const byId = conditions.map((branch) => (branch.length === 1 ? branch[0] : undefined));
    if (!keys.includes(variant) || Object.hasOwn(found, variant) || !byId.every(isById)) break;
    const ids = (field: string) => byId.flatMap(({ selector, values }) => (selector[2] === field ? values : []));
    found[variant] = { user_ids: ids("user_id"), device_ids: ids("device_id") };
  }
  return found;
}

function isById(condition: Condition | undefined): condition is Condition {
  const [root, of, field, ...rest] = condition?.selector ?? [];
  return (
    condition?.op === "is" &&
    root === "context" &&
    of === "user" &&
    (field === "user_id" || field === "device_id") &&
    rest.length === 0 &&
    condition.values.every((id) => id !== "" && id !== "(none)")
  );
}

/** How many segments keep the earlier variant; 0 unless they do so for every variant. */
function countStickies(segments: readonly Segment[], from: number, flagKey: string, keys: readonly string[]): number {
  const kept = new Set<string>();
  let place = from;
  for (; place < segments.length; place++) {
    const { bucket, conditions, variant } = segments[place] as Segment;
    const [[condition, ...others] = [], ...branches] = conditions ?? [];
    const isSticky =
      bucket === undefined &&
      branches.length === 0 &&
      others.length === 0 &&
      condition?.op === "is" &&
      condition.selector.join("\n") === ["context", "user", "user_properties", stickyProperty(flagKey)].join("\n") &&
      condition.values.length === 1 &&
      condition.values[0] === variant;
    if (!isSticky || variant === undefined || !keys.includes(variant)) break;
    kept.add(variant);
  }
  return kept.size === keys.length ? place - from : 0;
}

interface Target {
  place: number;
  name: string;
  /** Undefined matches everyone. */
  conditions: Condition[][] | undefined;
  shares: Shares;
}

function readTargets(
  flag: Flag,
  from: number,
  keys: readonly string[],
  included: readonly string[],
  { problem, warning }: Reports,
) {
  const targets: Target[] = [];
  for (let place = from; place < flag.segments.length; place++) {
    const segment = flag.segments[place] as Segment;
    const shares = readShares(segment, new Set(keys));
    const isEveryone = segment.conditions?.every((branch) => branch.length > 0) === false || !segment.conditions;
    const conditions = v.safeParse(targetSchema.entries.conditions.wrapped, segment.conditions ?? []);
    if (typeof shares === "string") problem(place, shares);
    if (!conditions.success) {
      for (const { message, input } of conditions.issues) problem(place, `${JSON.stringify(input)} ${message}`);
    }
    if (typeof shares === "string" || !conditions.success) continue;
    // To Amplitude's engine an empty list matches no one; here a target without conditions matches everyone.
    if (segment.conditions?.length === 0) continue;
    if (shares.isRounded) warning(place, "left out the very last hash, which now gets the last variant");
    const { segmentName } = segment.metadata ?? {};
    const name = v.is(nameSchema, segmentName) ? segmentName : `Segment ${place + 1}`;
    targets.push({ place, name, conditions: isEveryone ? undefined : conditions.output, shares });
    if (isEveryone) {
      const rest = flag.segments.length - place - 1;
      if (rest > 0) warning(place, `matches everyone, so the ${rest} after it were never reached and are left out`);
      break;
    }
  }
  const bucketing = readBucketing(flag, from, problem);
  const variants = orderOf(keys, included, targets, problem);
  const shareOf = ({ percentage, ends }: Shares) => ({
    percentage,
    weights: Object.fromEntries(weightsOf(ends).map(({ variant, weight }) => [variant, weight])),
  });
  const nobody = { percentage: 0, weights: {} };
  const field = bucketing.bucketing_key ?? "device_id";
  const hasId: Condition = { selector: ["context", "user", field], op: "is not", values: ["(none)", ""] };
  const targeting = targets.flatMap(({ name, conditions, shares }) => {
    if (conditions === undefined && !shares.needsId) return [];
    const withId = (conditions ?? [[]]).map((branch) => [...branch, hasId]);
    if (!shares.needsId) return [{ name, conditions: conditions ?? [], ...shareOf(shares) }];
    return [
      { name, conditions: withId, ...shareOf(shares) },
      ...(conditions === undefined ? [] : [{ name, conditions, ...nobody }]),
    ];
  });
  const everyone = targets.find(({ conditions }) => conditions === undefined);
  return {
    variants,
    bucketing,
    targets: {
      ...(targeting.length > 0 ? { targeting } : {}),
      all_users: everyone === undefined || everyone.shares.needsId ? nobody : shareOf(everyone.shares),
    } as Pick<Rollout, "targeting" | "all_users">,
  };
}

/** One key and one salt for the whole flag. */
function readBucketing({ segments }: Flag, from: number, problem: ReportSegment): Rollout {
  let found: Rollout | undefined;
  segments.forEach(({ bucket }, place) => {
    if (bucket === undefined || place < from) return;
    const [root, of, field = "", ...rest] = bucket.selector;
    if (root !== "context" || of !== "user" || rest.length > 0 || !(field === "device_id" || field === "user_id")) {
      problem(place, `hashes ${bucket.selector.join(".")}; only user_id and device_id can be hashed`);
      return;
    }
    if (bucket.salt === "") problem(place, "hashes without a salt");
    found ??= { bucketing_key: field, bucketing_salt: bucket.salt };
    if (found.bucketing_key !== field) problem(place, `hashes ${field} where another hashes ${found.bucketing_key}`);
    if (found.bucketing_salt !== bucket.salt)
      problem(place, `has the salt ${bucket.salt} where another has ${found.bucketing_salt}`);
  });
  return found ?? {};
}

/** An order in which every target's shares can be laid out, and inclusions are asked as they were. */
function orderOf(
  keys: readonly string[],
  included: readonly string[],
  targets: readonly Target[],
  problem: ReportSegment,
): string[] {
  const sequences: (readonly string[])[] = [included];
  let order = merge(keys, sequences) ?? [...keys];
  for (const { place, shares } of targets) {
    const sequence = shares.ends.map(({ variant }) => variant);
    const next = merge(keys, [...sequences, sequence]);
    if (next === undefined) problem(place, `divides subjects in the order ${sequence.join(", ")}, others in another`);
    else {
      sequences.push(sequence);
      order = next;
    }
  }
  return order;
}

/** The keys in an order in which each sequence's come one after the other, as near to theirs as can be. */
function merge(keys: readonly string[], sequences: readonly (readonly string[])[]): string[] | undefined {
  const order: string[] = [];
  const rest = new Set(keys);
  while (rest.size > 0) {
    const next = [...rest].find((key) =>
      sequences.every(
        (sequence) => !sequence.slice(0, Math.max(0, sequence.indexOf(key))).some((one) => rest.has(one)),
      ),
    );
    if (next === undefined) return undefined;
    rest.delete(next);
    order.push(next);
  }
  return order;
}
