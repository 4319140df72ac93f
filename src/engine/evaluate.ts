import { DirectEvaluator } from "./direct.ts";
import type { EvaluationContext, Variant } from "./flag.ts";
import { BlankFrame, Frame } from "./frame.ts";
import { murmur3 } from "./murmur3.ts";
import { bitOf, fullWord, toPlace, wordOf } from "./places.ts";
import {
  type Choice,
  type ConditionPlan,
  findDistribution,
  type GroupPlan,
  type Plan,
  type SegmentPlan,
} from "./plan.ts";
import type { Draft } from "./results.ts";
import type { Selection } from "./selection.ts";
import type { TraceSink } from "./trace.ts";
import { TraceLog } from "./trace-log.ts";

/** Runs a plan's program on contexts. */
export class Evaluator {
  readonly #plan: Plan;
  readonly #blank: BlankFrame;
  readonly #direct: DirectEvaluator | undefined;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#blank = new BlankFrame(plan);
    this.#direct = DirectEvaluator.for(plan);
  }

  /** The variants of the flags selected. */
  evaluate(context: EvaluationContext, selection: Selection, trace: TraceSink | undefined): Record<string, Variant> {
    if (this.#direct !== undefined && trace === undefined) {
      const variants = this.#direct.evaluate(context, selection.numbers);
      if (variants !== undefined) return selection.toRecord(variants);
    }
    const frame = new Frame(this.#blank, context, selection.numbers);
    frame.lookAhead(selection);
    const draft = trace === undefined ? selection.begin() : undefined;
    if (draft !== undefined) return this.#fill(draft, frame) ? draft.record : selection.collect(frame.variants);
    this.#evaluateAll(frame, trace);
    return selection.toRecord(frame.variants);
  }

  /**
   * Writes to a record whatever differs from it; false when a flag has no variant. In the same pass as the search: what
   * follows from a hash is then still in the memory of the processor's guesses.
   */
  #fill({ record, keys, variants: known }: Draft, frame: Frame): boolean {
    const { numbers, variants } = frame;
    let isWhole = true;
    for (let i = 0; i < numbers.length; i++) {
      const flag = numbers[i] as number;
      const variant = this.#search(flag, frame, undefined)?.variant;
      variants[flag] = variant;
      if (variant === undefined) isWhole = false;
      else if (variant !== known[i] && isWhole) record[keys[i] as string] = variant;
    }
    return isWhole;
  }

  #evaluateAll(frame: Frame, trace: TraceSink | undefined): void {
    const { numbers, variants } = frame;
    for (let i = 0; i < numbers.length; i++) {
      const flag = numbers[i] as number;
      const log = trace && new TraceLog(this.#plan);
      const choice = this.#search(flag, frame, log);
      variants[flag] = choice?.variant;
      if (log !== undefined) trace?.push(log.tell(flag, choice));
    }
  }

  /** Finds the first segment that matches and gives a variant the flag has. */
  #search(flag: number, frame: Frame, log: TraceLog | undefined): Choice | undefined {
    const { starts, ends, groups, segments } = this.#plan;
    const { live } = frame;
    const end = ends[flag] as number;
    for (let place = starts[flag] as number; place < end; ) {
      // Who asks for a trace is told of each condition, so nothing is ruled out beforehand.
      const bits = (log === undefined ? (live[wordOf(place)] as number) : fullWord) >> bitOf(place);
      if (bits === 0) {
        place = toPlace(wordOf(place) + 1, 0);
        continue;
      }
      place += 31 - Math.clz32(bits & -bits);
      if (place >= end) return undefined;
      const group = groups[place] as GroupPlan;
      if (!this.#matches(group, frame, log)) {
        place++;
        continue;
      }
      const segment = segments[group.segment] as SegmentPlan;
      const choice = this.#choose(group.segment, segment, frame, log);
      if (choice?.variant !== undefined) return choice;
      place = segment.end;
    }
    return undefined;
  }

  #matches(group: GroupPlan, frame: Frame, log: TraceLog | undefined): boolean {
    if (log !== undefined) return this.#matchesAloud(group, frame, log);
    const { asked } = group;
    for (let i = 0; i < asked.length; i++) if (!frame.holds(asked[i] as ConditionPlan)) return false;
    return true;
  }

  /** The same, told. */
  #matchesAloud({ conditions }: GroupPlan, frame: Frame, log: TraceLog): boolean {
    return conditions.every((condition) => {
      const holds = frame.holds(condition);
      log.condition(condition.number, frame.find(condition.slot), holds);
      return holds;
    });
  }

  #choose(number: number, segment: SegmentPlan, frame: Frame, log: TraceLog | undefined): Choice | undefined {
    if (log !== undefined) return this.#chooseAloud(number, segment, frame, log);
    const { bucket } = segment;
    if (bucket === undefined || !frame.hash(bucket)) return segment.choice;
    const distribution = findDistribution(bucket, bucket.subject.hashOf(bucket.salt));
    return distribution === undefined ? segment.choice : distribution.choice;
  }

  /** The same, told; by the hash that is the definition, to which the other is held. */
  #chooseAloud(number: number, { bucket, choice }: SegmentPlan, frame: Frame, log: TraceLog): Choice | undefined {
    const subject = bucket === undefined ? "" : frame.findSubject(bucket.slot);
    const hash = murmur3(`${bucket?.salt.text}/${subject}`);
    const distribution = bucket === undefined || subject === "" ? undefined : findDistribution(bucket, hash);
    if (bucket !== undefined) log.bucket(number, bucket, subject === "" ? undefined : { subject, hash, distribution });
    const chosen = distribution === undefined ? choice : distribution.choice;
    log.match(number, chosen);
    return chosen;
  }
}
