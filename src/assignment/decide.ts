/** Which variations a subject gets: override → pin → evaluation. No I/O, no clock, no platform. */
import type { AssignmentMethod } from "../model/event.ts";
import type { AuthenticationFlow, FlowName } from "../model/flow.ts";
import type { WarningCode } from "../model/log-entry.ts";
import type {
  CohortNeed,
  CompiledExperiment,
  CompiledRollout,
  CompiledSnapshot,
  CompiledVariation,
} from "../snapshot/compiled.ts";
import {
  type AssignmentNote,
  type DecisionSubject,
  evaluateOpen,
  type Pin,
  type RolloutAssignment,
} from "./evaluation.ts";
import type { SubjectKind } from "./unit.ts";

export interface Assignment extends AssignmentNote {
  experiment: CompiledExperiment;
  variation: CompiledVariation;
  control: boolean;
  method: AssignmentMethod;
  segmentId?: string;
  epoch: number;
}

/** The override parameters of a query; null where a parameter is absent. */
export interface Override {
  experimentId: string | null;
  variationId: string | null;
  segmentId: string | null;
}

/** A part of a login that is decided once: the experiments of one flow that assign one kind of subject. */
export type DecidedPart = `${AuthenticationFlow}.${SubjectKind}`;

export interface ReviewInput {
  snapshot: CompiledSnapshot;
  /** Of the session so far; undefined when there is no session yet. */
  pins: readonly Pin[] | undefined;
  /** What this login has decided already. */
  decided: readonly DecidedPart[];
  /** The flow of the page that may be newly assigned; null where pins alone count. */
  flow: FlowName | null;
  /** A new login begins: what is undecided is evaluated, forced variations end. */
  startsLogin: boolean;
  /** Whether a variation was forced in this login. */
  isForced: boolean;
  override: Override | null;
}

/** What stands of a session, and what is still open. */
export interface Review {
  snapshot: CompiledSnapshot;
  flow: FlowName | null;
  pins: ReadonlyMap<string, Pin>;
  /** Ids of the experiments whose pins were there before this request. */
  kept: ReadonlySet<string>;
  /** The pins as the session has them, for comparison. */
  before: readonly Pin[] | undefined;
  decided: readonly DecidedPart[];
  /** What this request's override forces. */
  forced: Pin | null;
  /** Active experiments that may be assigned now, to a subject that is known. */
  undecided: readonly CompiledExperiment[];
  rollouts: readonly CompiledRollout[];
  warnings: readonly WarningCode[];
}

export interface Decision {
  assignments: readonly Assignment[];
  rollouts: readonly RolloutAssignment[];
  /** What the session remembers; undefined while there is nothing to. */
  pins: readonly Pin[] | undefined;
  decided: readonly DecidedPart[];
  /** Those of `assignments` that are new in this session and belong in the statistics. */
  added: readonly Assignment[];
  warnings: readonly WarningCode[];
  /** Experiments and flags that are left out because it is unknown which cohorts the subject is in. */
  withheld: readonly { id: string; cohorts: CohortNeed | null }[];
}

/** The pin an override asks for, or the warning that says why there is none. */
export function resolveOverride(snapshot: CompiledSnapshot, override: Override): Pin | WarningCode | null {
  const { experimentId, variationId, segmentId } = override;
  if (!experimentId) return variationId || segmentId ? "experiment_orphaned_params" : null;
  const experiment = snapshot.experiments.get(experimentId);
  if (!experiment) return "experiment_not_found";
  if (!variationId && !segmentId) return "experiment_variation_missing";
  const bySegment = segmentId ? experiment.segments.get(segmentId) : undefined;
  if (segmentId && !bySegment) return "experiment_segment_not_found";
  const wanted = variationId || bySegment;
  if (!wanted || !experiment.variations.has(wanted)) return "experiment_variation_not_found";
  return {
    experimentId,
    variationId: wanted,
    method: "forced",
    ...(segmentId ? { segmentId } : {}),
    epoch: experiment.epoch,
  };
}

/** Whether a pin still holds. An experiment that this snapshot does not know may be newer: its pages must not change. */
function holds(pin: Pin, { experiments }: CompiledSnapshot): boolean {
  const status = experiments.get(pin.experimentId)?.status;
  return pin.method === "forced" || status === undefined || status === "active" || status === "paused";
}

/** What stands of the session's pins under this request, and what may be decided now. */
export function reviewSession(input: ReviewInput): Review {
  const { snapshot, flow, override, startsLogin, isForced } = input;
  const { experiments, gate } = snapshot;
  const restarts = startsLogin || override?.experimentId === "";
  const endsForced = restarts && isForced;
  const pins = new Map<string, Pin>();
  // Nothing of a forced visit was counted, so what it pinned beside the forced variation is decided and counted anew.
  for (const pin of endsForced ? [] : (input.pins ?? [])) {
    if (holds(pin, snapshot)) pins.set(pin.experimentId, pin);
  }
  const kept = new Set(pins.keys());

  const resolved = override && resolveOverride(snapshot, override);
  const forced = typeof resolved === "string" ? null : resolved;
  if (forced !== null) pins.set(forced.experimentId, forced);
  // A forced variation takes its flag: no other experiment on it, and no rollout of it, has a say.
  const flagsForced = new Set<string>();
  for (const { method, experimentId } of pins.values()) {
    const flagKey = method === "forced" ? experiments.get(experimentId)?.flagKey : undefined;
    if (flagKey !== undefined) flagsForced.add(flagKey);
  }
  const flagsTaken = new Set(flagsForced);
  const flagsPinned = new Set(flagsForced);
  for (const [id, { method, variationId }] of pins) {
    const flagKey = experiments.get(id)?.flagKey;
    if (flagKey === undefined) continue;
    const isOlder = forced !== null && method === "forced" && id !== forced.experimentId;
    const isDisplaced =
      method === "forced"
        ? isOlder && flagKey === experiments.get(forced.experimentId)?.flagKey
        : flagsForced.has(flagKey);
    if (isDisplaced) pins.delete(id);
    else {
      flagsPinned.add(flagKey);
      if (variationId !== null) flagsTaken.add(flagKey);
    }
  }

  const decided = restarts ? [] : input.decided;
  const isOpen = ({ id, flagKey, flow: own, subject }: CompiledExperiment) =>
    (own === "all" || own === flow) &&
    !pins.has(id) &&
    !flagsTaken.has(flagKey) &&
    !decided.includes(`${own}.${subject}`);
  return {
    snapshot,
    flow,
    pins,
    kept,
    before: input.pins,
    decided,
    forced,
    undecided: flow === null ? [] : gate.active.filter(isOpen),
    // Also where an experiment that is paused now left the visitor out: a page must not change in the middle of a login.
    rollouts: gate.rollouts.filter(({ flagKey }) => !flagsPinned.has(flagKey)),
    warnings: typeof resolved === "string" ? [resolved] : [],
  };
}

const isKnown = ({ deviceId, userId }: Pick<DecisionSubject, "deviceId" | "userId">, kind: SubjectKind) =>
  (kind === "user" ? userId : deviceId) !== null;

/** Whether the index of cohorts can answer for these. */
function areCohortsReadable({ missing, ofUsers }: CohortNeed, { isUserUnknown = false }: DecisionSubject): boolean {
  return missing.length === 0 && !(ofUsers && isUserUnknown);
}

/** Whether the decision depends on `cohortIds`; mostly it does not, and they need not be looked up. */
export function needsCohorts({ undecided, rollouts }: Review, subject: DecisionSubject): boolean {
  const depends = ({ cohorts }: { cohorts: CohortNeed | null }) =>
    cohorts !== null && areCohortsReadable(cohorts, subject);
  return undecided.some((one) => isKnown(subject, one.subject) && depends(one)) || rollouts.some(depends);
}

/** Decides what is open. The same review and subject give the same decision. */
export function decide(review: Review, subject: DecisionSubject): Decision {
  const { snapshot, kept, flow } = review;
  const { cohortIds } = subject;
  const canEvaluate = ({ cohorts }: { cohorts: CohortNeed | null }) =>
    cohorts === null || (!!cohortIds && areCohortsReadable(cohorts, subject));
  const open = review.undecided.filter((one) => isKnown(subject, one.subject));
  const experiments = open.filter(canEvaluate);
  const rollouts = review.rollouts.filter(canEvaluate);
  const withheld = open.filter((one) => !canEvaluate(one));
  const pins = new Map(review.pins);
  const added = new Map<string, AssignmentNote>();
  // Never a guess, and for the whole session: the cohorts may be readable at the next request, and its page must not change.
  for (const { id, epoch } of withheld) {
    pins.set(id, { experimentId: id, variationId: null, method: "auto", epoch });
  }
  const evaluated = evaluateOpen(snapshot, subject, experiments, rollouts);
  for (const { pin, note } of evaluated.found) {
    pins.set(pin.experimentId, pin);
    added.set(pin.experimentId, note);
  }

  const assignments: Assignment[] = [];
  for (const pin of pins.values()) {
    const experiment = snapshot.experiments.get(pin.experimentId);
    const variation = pin.variationId === null ? undefined : experiment?.variations.get(pin.variationId);
    if (!experiment || !variation) continue;
    const isPinned = kept.has(pin.experimentId) && pin.method !== "forced" && !added.has(pin.experimentId);
    assignments.push({
      experiment,
      variation,
      control: experiment.control === variation.id,
      method: isPinned ? "session" : pin.method,
      ...(pin.segmentId === undefined ? {} : { segmentId: pin.segmentId }),
      epoch: pin.epoch,
      ...added.get(pin.experimentId),
    });
  }
  return {
    assignments,
    rollouts: evaluated.rollouts,
    pins: pins.size > 0 || review.before !== undefined ? sameOr(review.before, [...pins.values()]) : undefined,
    decided: flow === null ? review.decided : withDecided(review.decided, flow, subject),
    added: assignments.filter(({ experiment }) => added.has(experiment.id)),
    warnings: review.warnings,
    withheld: [
      ...withheld,
      ...review.rollouts.flatMap((each) => (canEvaluate(each) ? [] : [{ id: each.flagKey, cohorts: each.cohorts }])),
    ],
  };
}

/** The same list where nothing is decided that was not before. */
function withDecided(
  before: readonly DecidedPart[],
  flow: FlowName,
  subject: Pick<DecisionSubject, "deviceId" | "userId">,
): readonly DecidedPart[] {
  // A page that may be assigned gets a device id where one is needed; a user may become known later in the login.
  const kinds = (["device", "user"] as const).filter((kind) => kind === "device" || isKnown(subject, kind));
  const now = kinds.flatMap((kind): DecidedPart[] => [`${flow}.${kind}`, `all.${kind}`]);
  const added = now.filter((part) => !before.includes(part));
  return added.length === 0 ? before : [...before, ...added];
}

/** The array itself where its pins are the same, so that a caller need not look inside. */
function sameOr(before: readonly Pin[] | undefined, now: readonly Pin[]): readonly Pin[] {
  return before?.length === now.length && before.every((pin, index) => pin === now[index]) ? before : now;
}
