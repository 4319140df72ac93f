/**
 * Matches regular expressions in linear time: a non-deterministic automaton, made deterministic state by state as texts
 * are met. Nothing here ever goes back in the text.
 */
import { Alphabet } from "./alphabet.ts";
import { wordUnits } from "./code-units.ts";
import type { Assertion, PatternNode } from "./pattern-syntax.ts";
import { Program, type Step } from "./program.ts";

/** Deterministic states that are kept; past them the automaton goes on as it is, in bounded memory. */
const maxStates = 128;

const units = 0;
const split = 1;
const accept = 2;
const assertions: readonly Assertion[] = ["at start", "at end", "at word boundary", "inside or outside a word"];
const firstAssertion = 3;

/** What stands beside a position: an edge of the text, or a unit inside or outside `\w`. */
type Side = "edge" | "word" | "other";

/** Where the automaton may be, before the steps that the next unit decides. */
interface Position {
  readonly steps: readonly number[];
  readonly before: Side;
}

interface State extends Position {
  /** By class of the next unit: the number of the state it leads to, `unknown` or `accepted`. */
  readonly next: Int16Array;
  acceptsAtEnd: boolean | undefined;
}

/** Instead of a state's number, which counts from 1. */
const unknown = 0;
/** There is a match, whatever follows. */
const accepted = -1;
/** No more states are kept. */
const full = -2;

export class Automaton {
  readonly #alphabet: Alphabet;
  readonly #wordClasses: ReadonlySet<number>;
  readonly #asserts: boolean;
  readonly #start: number;
  // The steps, in arrays because matching without kept states visits many of them for each unit.
  readonly #kinds: Uint8Array;
  readonly #next: Int32Array;
  readonly #other: Int32Array;
  /** Of step and class (step times `#classCount` plus class): whether the step takes a unit of that class. */
  readonly #takes: Uint8Array;
  readonly #classCount: number;
  readonly #numbers = new Map<string, number>();
  /** By number; the first is where every text begins. */
  readonly #states: State[];
  /** When each step was last added to a list, so that none is added twice. */
  readonly #added: Float64Array;
  #round = 0;

  /** @throws PatternError when the expression is too large. */
  constructor(pattern: PatternNode) {
    const { steps, start } = new Program(pattern);
    this.#start = start;
    this.#asserts = steps.some((step) => step.kind === "assertion");
    const sets = steps.flatMap((step) => (step.kind === "units" ? [step.units] : []));
    this.#alphabet = new Alphabet([...sets, wordUnits]);
    this.#wordClasses = this.#alphabet.classesIn(wordUnits);
    this.#classCount = this.#alphabet.size;
    this.#kinds = Uint8Array.from(steps, kindOf);
    this.#next = Int32Array.from(steps, (step) => (step.kind === "accept" ? 0 : step.next));
    this.#other = Int32Array.from(steps, (step) => (step.kind === "split" ? step.other : 0));
    this.#takes = new Uint8Array(steps.length * this.#classCount);
    for (const [at, step] of steps.entries()) {
      if (step.kind !== "units") continue;
      for (const unitClass of this.#alphabet.classesIn(step.units)) this.#takes[at * this.#classCount + unitClass] = 1;
    }
    this.#added = new Float64Array(steps.length);
    const first = this.#createState({ steps: [start], before: "edge" });
    this.#states = [first, first];
  }

  /** How many steps one unit of text can take at most. */
  get size(): number {
    return this.#kinds.length;
  }

  /** Whether some part of `text` matches. */
  matches(text: string): boolean {
    const alphabet = this.#alphabet;
    const states = this.#states;
    const { length } = text;
    let state = states[1] as State;
    for (let i = 0; i < length; i++) {
      const unitClass = alphabet.classOf(text.charCodeAt(i));
      const known = state.next[unitClass] as number;
      const next = known === unknown ? this.#extend(state, unitClass) : known;
      if (next < 0) return next === accepted || this.#matchesFrom(text, i, state);
      state = states[next] as State;
    }
    state.acceptsAtEnd ??= this.#reach(state, "edge") === "accept";
    return state.acceptsAtEnd;
  }

  /** Goes on from a position without keeping states. */
  #matchesFrom(text: string, from: number, start: Position): boolean {
    let position = start;
    for (let i = from; i < text.length; i++) {
      const next = this.#advance(position, this.#alphabet.classOf(text.charCodeAt(i)));
      if (next === "accept") return true;
      position = next;
    }
    return this.#reach(position, "edge") === "accept";
  }

  /** The number of the state that is reached, or `accepted` or `full`. */
  #extend(state: State, unitClass: number): number {
    if (this.#states.length > maxStates) return full;
    const position = this.#advance(state, unitClass);
    if (position !== "accept") position.steps.sort((a, b) => a - b);
    const next = position === "accept" ? accepted : this.#keep(position);
    state.next[unitClass] = next;
    return next;
  }

  #createState({ steps, before }: Position): State {
    return { steps, before, next: new Int16Array(this.#classCount), acceptsAtEnd: undefined };
  }

  #keep(position: Position): number {
    const key = `${position.before} ${position.steps.join()}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#states.push(this.#createState(position)) - 1;
    this.#numbers.set(key, number);
    return number;
  }

  #advance(position: Position, unitClass: number): { steps: number[]; before: Side } | "accept" {
    const side = this.#wordClasses.has(unitClass) ? "word" : "other";
    const reached = this.#reach(position, side);
    if (reached === "accept") return reached;
    const round = ++this.#round;
    // A match may begin at any position.
    const steps = [this.#start];
    this.#added[this.#start] = round;
    for (const at of reached) {
      const next = this.#next[at] ?? 0;
      if (this.#takes[at * this.#classCount + unitClass] === 0 || this.#added[next] === round) continue;
      this.#added[next] = round;
      steps.push(next);
    }
    return { steps, before: this.#asserts ? side : "other" };
  }

  /** All steps that can be reached without taking a unit, given what comes next. */
  #reach(position: Position, after: Side): readonly number[] | "accept" {
    const round = ++this.#round;
    const reached: number[] = [];
    for (const at of position.steps) this.#add(at, reached, round);
    // The list grows while it is walked.
    for (let i = 0; i < reached.length; i++) {
      const at = reached[i] ?? 0;
      const kind = this.#kinds[at] ?? units;
      if (kind === units) continue;
      if (kind === accept) return "accept";
      if (kind === split) {
        this.#add(this.#next[at] ?? 0, reached, round);
        this.#add(this.#other[at] ?? 0, reached, round);
      } else if (holds(assertions[kind - firstAssertion], position.before, after)) {
        this.#add(this.#next[at] ?? 0, reached, round);
      }
    }
    return reached;
  }

  #add(at: number, steps: number[], round: number): void {
    if (this.#added[at] === round) return;
    this.#added[at] = round;
    steps.push(at);
  }
}

function kindOf(step: Step): number {
  switch (step.kind) {
    case "units":
      return units;
    case "split":
      return split;
    case "accept":
      return accept;
    case "assertion":
      return firstAssertion + assertions.indexOf(step.holds);
  }
}

function holds(assertion: Assertion | undefined, before: Side, after: Side): boolean {
  switch (assertion) {
    case "at start":
      return before === "edge";
    case "at end":
      return after === "edge";
    case "at word boundary":
      return (before === "word") !== (after === "word");
    case "inside or outside a word":
      return (before === "word") === (after === "word");
    default:
      return false;
  }
}
