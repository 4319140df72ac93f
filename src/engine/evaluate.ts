import { DirectEvaluator } from "./direct.ts";
import type { EvaluationContext, Variant } from "./flag.ts";
import { BlankFrame, Frame } from "./frame.ts";
import { murmur3 } from "./murmur3.ts";
import { type Choice, type ConditionPlan, findDistribution, instructionLength, opcodes, type Plan } from "./plan.ts";
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
    const { numbers, slots } = selection;
    const frame = new Frame(this.#blank, context, numbers);
    frame.lookAhead(slots);
    const { variants } = frame;
    for (let i = 0; i < numbers.length; i++) {
      const flag = numbers[i] as number;
      variants[flag] = this.#evaluate(flag, frame, trace);
    }
    return selection.toRecord(variants);
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
    const { salt } = bucket;
    // Who asks for a trace is told what the definition says, and held to it.
    const hash = log === undefined ? bucket.subject.hash(salt, subject) : murmur3(`${salt.text}/${subject}`);
    const distribution = findDistribution(bucket, hash);
    const choice = distribution === undefined ? segment?.choice : distribution.choice;
    log?.bucket(number, bucket, { subject, hash, distribution });
    log?.match(number, choice);
    return choice;
  }
}
