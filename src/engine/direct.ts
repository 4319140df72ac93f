import type { EqualityIndex } from "./equality-index.ts";
import { fieldNumber, isPlain, selectField } from "./fields.ts";
import type { EvaluationContext, Variant } from "./flag.ts";
import {
  type BucketPlan,
  type Choice,
  findDistribution,
  maxFewFlags,
  type Plan,
  type SegmentPlan,
  type Test,
} from "./plan.ts";
import { isPlainText, Reading } from "./reading.ts";
import { createBlankVariants } from "./results.ts";
import { selectOwn } from "./select.ts";
import type { Slot } from "./slots.ts";

/** Instead of an outcome: the value at hand is not for this shortcut. */
const deferred = Symbol("deferred");

const userField = fieldNumber("user");
const propertiesField = fieldNumber("user_properties");

/** Whether a slot is a field or a property of the user. */
function isOfUser({ selector }: Slot): boolean {
  const [root, user, ...rest] = selector;
  if (root !== "context" || user !== "user") return false;
  return rest.length === 1 || (rest.length === 2 && rest[0] === "user_properties");
}

/** Where a value lies: a field of the user, or one of `user_properties`. */
interface Place {
  readonly name: string;
  readonly field: number;
  readonly isProperty: boolean;
}

interface DirectCondition {
  readonly place: Place;
  /** Either answers the condition. */
  readonly index: EqualityIndex | undefined;
  readonly test: Test;
}

interface DirectSegment {
  readonly groups: readonly (readonly DirectCondition[])[];
  readonly place: Place | undefined;
  readonly bucket: BucketPlan | undefined;
  readonly choice: Choice | undefined;
}

const never: Test = () => false;

function placeOf({ name, field, parent }: Slot): Place {
  return { name, field, isProperty: parent?.field === propertiesField };
}

const flatten = ({ groups, bucket, choice }: SegmentPlan): DirectSegment => ({
  groups: groups.map((group) =>
    group.map(({ slot, index, question }) => ({ place: placeOf(slot), index, test: question?.test ?? never })),
  ),
  place: bucket && placeOf(bucket.slot),
  bucket,
  choice,
});

/**
 * A shortcut through few flags for nearly all contexts, where remembering anything costs more than finding it again. It
 * knows the user's properties only, as long as they are missing or plain texts; whatever else there is, it defers to the
 * general way. Its conditions, readings, hashes and variants are the same objects.
 */
export class DirectEvaluator {
  readonly #flags: readonly (readonly DirectSegment[])[];

  private constructor(plan: Plan) {
    this.#flags = plan.flags.map((_, flag) =>
      plan.segments.slice(plan.firstSegment[flag] ?? 0, plan.firstSegment[flag + 1] ?? 0).map(flatten),
    );
  }

  /** Undefined when the plan is none for the shortcut. */
  static for(plan: Plan): DirectEvaluator | undefined {
    const { conditions, questions, segments, flags } = plan;
    const slots = [
      ...conditions.map(({ slot }) => slot),
      ...segments.flatMap(({ bucket }) => (bucket === undefined ? [] : [bucket.slot])),
    ];
    const isFit =
      flags.length <= maxFewFlags &&
      slots.every(isOfUser) &&
      conditions.every(({ index, question }) => index !== undefined || question !== undefined) &&
      !questions.some(({ isShared }) => isShared);
    return isFit ? new DirectEvaluator(plan) : undefined;
  }

  /** The variants of the flags with these numbers, by number; undefined when it has to be done the general way. */
  evaluate(context: EvaluationContext, numbers: readonly number[]): (Variant | undefined)[] | undefined {
    const user = isPlain(context) ? selectField(context, userField) : selectOwn(context, "user");
    const userIsPlain = isPlain(user);
    const variants = createBlankVariants(this.#flags.length);
    for (let i = 0; i < numbers.length; i++) {
      const flag = numbers[i] as number;
      const outcome = this.#search(this.#flags[flag] as readonly DirectSegment[], user, userIsPlain);
      if (outcome === deferred) return undefined;
      variants[flag] = outcome;
    }
    return variants;
  }

  #search(segments: readonly DirectSegment[], user: unknown, userIsPlain: boolean) {
    for (let i = 0; i < segments.length; i++) {
      const segment = segments[i] as DirectSegment;
      const matched = matches(segment.groups, user, userIsPlain);
      if (matched === deferred) return deferred;
      if (!matched) continue;
      const choice = this.#choose(segment, user, userIsPlain);
      if (choice === deferred) return deferred;
      if (choice?.variant !== undefined) return choice.variant;
    }
    return undefined;
  }

  #choose(segment: DirectSegment, user: unknown, userIsPlain: boolean): Choice | undefined | typeof deferred {
    const { bucket, place, choice } = segment;
    if (bucket === undefined || place === undefined) return choice;
    const value = find(place, user, userIsPlain);
    if (value === undefined || value === "") return choice;
    if (typeof value !== "string") return deferred;
    const hash = bucket.subject.hash(bucket.salt, value);
    return findDistribution(bucket, hash)?.choice ?? choice;
  }
}

/** Undefined when missing; never null. */
function find({ name, field, isProperty }: Place, user: unknown, userIsPlain: boolean): unknown {
  if (isProperty) return selectOwn(select(user, userIsPlain, propertiesField, "user_properties"), name);
  return select(user, userIsPlain, field, name);
}

function select(object: unknown, objectIsPlain: boolean, field: number, name: string): unknown {
  return objectIsPlain && field >= 0 ? selectField(object as Record<string, unknown>, field) : selectOwn(object, name);
}

function matches(
  groups: readonly (readonly DirectCondition[])[],
  user: unknown,
  userIsPlain: boolean,
): boolean | typeof deferred {
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i] as readonly DirectCondition[];
    let held = 0;
    for (; held < group.length; held++) {
      const { place, index, test } = group[held] as DirectCondition;
      const value = find(place, user, userIsPlain);
      let holds: boolean;
      if (isPlainText(value)) {
        holds = index !== undefined ? ((index.answerText(value)[0] as number) & 1) === 1 : test(new Reading(value));
      } else if (value === undefined) {
        holds = index !== undefined ? ((index.answer(value)[0] as number) & 1) === 1 : test(new Reading(value));
      } else return deferred;
      if (!holds) break;
    }
    if (held === group.length) return true;
  }
  return false;
}
