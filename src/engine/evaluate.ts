import { DirectEvaluator } from "./direct.ts";
import type { EvaluationContext, Variant } from "./flag.ts";
import { BlankFrame, Frame } from "./frame.ts";
import { type Choice, type ConditionPlan, findDistribution, instructionLength, opcodes, type Plan } from "./plan.ts";
import { collect, ResultTemplate } from "./results.ts";
import { Subject } from "./salted-hash.ts";
import type { Slot } from "./slots.ts";
import type { TraceSink } from "./trace.ts";
import { TraceLog } from "./trace-log.ts";

/** Runs a plan's program on contexts. */
export class Evaluator {
  readonly #plan: Plan;
  readonly #blank: BlankFrame;
  readonly #template: ResultTemplate;
  readonly #allNumbers: readonly number[];
  /** What is looked at before all flags are evaluated. */
  readonly #slots: readonly Slot[];
  readonly #subjects: readonly Subject[];
  readonly #direct: DirectEvaluator | undefined;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#blank = new BlankFrame(plan);
    this.#template = new ResultTemplate(plan.flags);
    this.#allNumbers = [...plan.flags.keys()];
    this.#slots = [...new Set(plan.slotsOf.flat())].sort((a, b) => a.number - b.number);
    this.#subjects = plan.subjects.map((salts) => new Subject(salts));
    this.#direct = DirectEvaluator.for(plan);
  }

  /** The variants of all flags. */
  evaluateAll(context: EvaluationContext, trace: TraceSink | undefined): Record<string, Variant> {
    const numbers = this.#allNumbers;
    if (this.#direct !== undefined && trace === undefined) {
      const direct = this.#direct.evaluate(context, numbers);
      if (direct !== undefined) return this.#template.copy(direct) ?? collect(this.#plan.flags, direct, numbers);
    }
    const frame = new Frame(this.#blank, context, numbers);
    frame.lookAhead(this.#slots);
    const { variants } = frame;
    for (let flag = 0; flag < variants.length; flag++) variants[flag] = this.#evaluate(flag, frame, trace);
    return this.#template.copy(variants) ?? collect(this.#plan.flags, variants, numbers);
  }

  /** The variants of the flags with these numbers. What a flag depends on must come before it. */
  evaluateSome(
    context: EvaluationContext,
    numbers: readonly number[],
    trace: TraceSink | undefined,
  ): Record<string, Variant> {
    if (this.#direct !== undefined && trace === undefined) {
      const direct = this.#direct.evaluate(context, numbers);
      if (direct !== undefined) return collect(this.#plan.flags, direct, numbers);
    }
    const frame = new Frame(this.#blank, context, numbers);
    for (const flag of numbers) {
      frame.lookAhead(this.#plan.slotsOf[flag] ?? []);
      frame.variants[flag] = this.#evaluate(flag, frame, trace);
    }
    return collect(this.#plan.flags, frame.variants, numbers);
  }

  #evaluate(flag: number, frame: Frame, trace: TraceSink | undefined): Variant | undefined {
    if (trace === undefined) return this.#run(flag, frame, undefined)?.variant;
    const log = new TraceLog(this.#plan);
    const choice = this.#run(flag, frame, log);
    trace.push(log.tell(flag, choice));
    return choice?.variant;
  }

  /** Runs a flag's program to the first segment that gives a variant the flag has. */
  #run(flag: number, frame: Frame, log: TraceLog | undefined): Choice | undefined {
    const { code, starts } = this.#plan;
    const { answers } = frame;
    for (let at = starts[flag] as number; ; at += instructionLength) {
      const word = code[at] as number;
      let holds: boolean;
      if (word >= 0) holds = ((answers[word] as number) & (code[at + 1] as number)) !== 0;
      else if (word === opcodes.compare) holds = this.#compare(code[at + 3] as number, frame);
      else if (word === opcodes.ask) holds = frame.holds(code[at + 1] as number);
      else if (word === opcodes.matched) {
        const choice = this.#choose(code[at + 1] as number, frame, log);
        if (choice?.variant !== undefined) return choice;
        continue;
      } else if (word === opcodes.jump) {
        at = (code[at + 1] as number) - instructionLength;
        continue;
      } else return undefined;
      if (log !== undefined) this.#logCondition(code[at + 3] as number, holds, frame, log);
      if (!holds) at = (code[at + 2] as number) - instructionLength;
    }
  }

  #compare(number: number, frame: Frame): boolean {
    const { slot, index } = this.#plan.conditions[number] as ConditionPlan;
    return index !== undefined && frame.answer(slot, index)[0] === 1;
  }

  #logCondition(number: number, matched: boolean, frame: Frame, log: TraceLog): void {
    const slot = this.#plan.conditions[number]?.slot;
    if (slot !== undefined) log.condition(number, frame.find(slot), matched);
  }

  #choose(number: number, frame: Frame, log: TraceLog | undefined): Choice | undefined {
    const segment = this.#plan.segments[number];
    const bucket = segment?.bucket;
    if (bucket === undefined) {
      log?.match(number, segment?.choice);
      return segment?.choice;
    }
    const subject = frame.findSubject(bucket.slot);
    if (subject === "") {
      log?.bucket(number, bucket);
      log?.match(number, segment?.choice);
      return segment?.choice;
    }
    const hash = (this.#subjects[bucket.subject] as Subject).hash(bucket.salt, subject);
    const distribution = findDistribution(bucket, hash);
    const choice = distribution === undefined ? segment?.choice : distribution.choice;
    log?.bucket(number, bucket, { subject, hash, distribution });
    log?.match(number, choice);
    return choice;
  }
}
