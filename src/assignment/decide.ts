/** Which variations a subject gets: override → pin → evaluation. No I/O, no clock, no platform. */
import type { EvaluationContext } from "../engine/flag.ts";
import { lacksProperty } from "../model/asked-properties.ts";
import { stickyProperty } from "../model/compile/flag-segments.ts";
import type { AssignmentMethod } from "../model/event.ts";
import type { WarningCode } from "../model/log-entry.ts";
import {
  type CohortNeed,
  type CompiledExperiment,
  type CompiledSnapshot,
  type CompiledVariation,
  travels,
} from "../snapshot/compiled.ts";

/** What a session remembers of one experiment. `variationId` null: decided that it takes no part. */
export interface Pin {
  experimentId: string;
  variationId: string | null;
  /** How it was first come by. */
  method: Exclude<AssignmentMethod, "session">;
  segmentId?: string;
  epoch: number;
}

export interface Assignment {
  experiment: CompiledExperiment;
  variation: CompiledVariation;
  control: boolean;
  method: AssignmentMethod;
  segmentId?: string;
  epoch: number;
  /** Of a new assignment: what the hash alone gives, where an earlier choice was kept; null when it gives nothing. */
  hashedVariationId?: string | null;
  /** Of a new assignment: properties that the experiment's rules ask about and the subject lacks. */
  missing?: readonly string[];
}

/** QA's wish, as it stands in the query; null where a parameter is absent. */
export interface Override {
  experimentId: string | null;
  variationId: string | null;
  segmentId: string | null;
}

export interface DecisionInput {
  snapshot: CompiledSnapshot;
  /** Of the session so far; undefined when there is no session yet. */
  pins: readonly Pin[] | undefined;
  /** Whether this request may be newly assigned; if not, pins alone count. */
  mayAssign: boolean;
  /** A new log-in begins (an authorize request): undecided experiments are asked, forced variations end. */
  begins: boolean;
  override: Override | null;
  deviceId: string | null;
  userId: string | null;
  /** Whether there may be a user all the same, whom nobody can verify now: no user's cohorts can be told then. */
  isUserUnknown?: boolean;
  /** Experiment id → variation id, of earlier sessions. */
  sticky: ReadonlyMap<string, string>;
  /** The rest of what targeting may ask about; called only when something is evaluated. */
  attributes: () => Record<string, unknown>;
  /** Ids of the cohorts that the subject is in; null or absent where nobody can tell. Counts when `asksCohorts` does. */
  cohortIds?: readonly string[] | null;
}

export interface Decision {
  assignments: readonly Assignment[];
  /** What the session shall remember; undefined while there is nothing to. */
  pins: readonly Pin[] | undefined;
  /** Those of `assignments` that are new in this session and belong in the statistics. */
  added: readonly Assignment[];
  warnings: readonly WarningCode[];
  /** Those that take no part in this session because nobody can tell which cohorts the subject is in. */
  withheld: readonly CompiledExperiment[];
}

/** The pin an override asks for, or the warning that says why there is none. */
export function resolveOverride(snapshot: CompiledSnapshot, override: Override): Pin | WarningCode | null {
  const { experimentId, variationId, segmentId } = override;
  if (!experimentId) return variationId || segmentId ? "experiment_orphaned_params" : null;
  const experiment = snapshot.experiments.get(experimentId);
  if (!experiment) return "experiment_not_found";
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

const methods = new Map<unknown, "inclusion" | "sticky">([
  ["individual-inclusions", "inclusion"],
  ["sticky-bucketing", "sticky"],
]);

/** The flag's variant as a pin, or null when the flag could not be evaluated (it is asked again next time). */
export function pinOf(
  experiment: CompiledExperiment,
  variant: { key: string; metadata?: Record<string, unknown> } | undefined,
): Pin | null {
  if (!variant) return null;
  const { segmentId, segmentName, experimentKey } = variant.metadata ?? {};
  // Two may be active on one flag, which then serves one of them.
  if (typeof experimentKey === "string" && experimentKey !== experiment.id) return null;
  const isTargeted = typeof segmentId === "string";
  return {
    experimentId: experiment.id,
    variationId: experiment.variationByKey.get(variant.key)?.id ?? null,
    // A tenant names its own segments as it likes: one with an id is never the gate's.
    method: (isTargeted ? undefined : methods.get(segmentName)) ?? "auto",
    ...(isTargeted && travels(segmentId) ? { segmentId } : {}),
    epoch: experiment.epoch,
  };
}

export type User = NonNullable<EvaluationContext["user"]>;

/** A pin, and what only the statistics want to know of how it was come by. */
export interface Found {
  pin: Pin;
  note: Pick<Assignment, "hashedVariationId" | "missing">;
}

function evaluate(input: DecisionInput, undecided: readonly CompiledExperiment[]): Found[] {
  const { snapshot, deviceId, userId, sticky, cohortIds } = input;
  const earlier: Record<string, string> = {};
  for (const experiment of undecided) {
    const key = experiment.variations.get(sticky.get(experiment.id) ?? "")?.key;
    if (experiment.sticky && key) earlier[stickyProperty(experiment.flagKey)] = key;
  }
  const user = {
    ...input.attributes(),
    ...(cohortIds ? { cohort_ids: cohortIds } : {}),
    device_id: deviceId,
    user_id: userId,
    user_properties: earlier,
  };
  const keys = undecided.map((experiment) => experiment.flagKey);
  const variants = snapshot.flags.evaluate({ user }, keys);
  const pins = undecided.flatMap((experiment) => pinOf(experiment, variants[experiment.flagKey]) ?? []);
  return noted(snapshot, pins, user);
}

/** By experiment, what the flags would give to this user if no earlier variation were known. */
function hashedAlone(snapshot: CompiledSnapshot, pins: readonly Pin[], user: User): Map<string, string | null> {
  const experiments = pins.flatMap(({ experimentId }) => snapshot.experiments.get(experimentId) ?? []);
  const properties = { ...(user.user_properties as Record<string, unknown> | undefined) };
  for (const { flagKey } of experiments) delete properties[stickyProperty(flagKey)];
  const forgetful = { user: { ...user, user_properties: properties } };
  const variants = snapshot.flags.evaluate(
    forgetful,
    experiments.map(({ flagKey }) => flagKey),
  );
  return new Map(
    experiments.map(({ id, flagKey, variationByKey }) => [
      id,
      variationByKey.get(variants[flagKey]?.key ?? "")?.id ?? null,
    ]),
  );
}

/** Adds to new pins what the hash alone would have given, where that is something else, and what their rules missed. */
export function noted(snapshot: CompiledSnapshot, pins: readonly Pin[], user: User): Found[] {
  const kept = pins.filter(({ method }) => method === "sticky");
  const hashed = kept.length === 0 ? undefined : hashedAlone(snapshot, kept, user);
  return pins.map((pin) => {
    const asked = snapshot.experiments.get(pin.experimentId)?.asks ?? [];
    const missing = asked.filter((path) => lacksProperty(user, path)).map((path) => path.join("."));
    const alone = hashed?.get(pin.experimentId);
    return {
      pin,
      note: {
        ...(alone === undefined || alone === pin.variationId ? {} : { hashedVariationId: alone }),
        ...(missing.length === 0 ? {} : { missing }),
      },
    };
  });
}

/** Whether this request may decide what is undecided yet; if not, pins alone count. */
function decidesNow({ mayAssign, begins, pins, override }: DecisionInput): boolean {
  return mayAssign && (begins || pins === undefined || override?.experimentId === "");
}

/** The pins that stand, and the active experiments that none of them is of and whose subject is known. */
function review(input: DecisionInput) {
  const { snapshot, override, begins } = input;
  const endsForced = begins || override?.experimentId === "";
  const pins = new Map<string, Pin>();
  for (const pin of input.pins ?? []) {
    // One that this snapshot does not know stays: another isolate's may be newer, and its pages must not flip.
    if (!(endsForced && pin.method === "forced")) pins.set(pin.experimentId, pin);
  }
  const kept = new Set(pins.keys());

  const forced = override && resolveOverride(snapshot, override);
  const warnings = typeof forced === "string" ? [forced] : [];
  if (forced && typeof forced !== "string") pins.set(forced.experimentId, forced);

  const undecided = decidesNow(input)
    ? snapshot.active.filter(
        ({ id, subject }) => !pins.has(id) && (subject === "user" ? input.userId : input.deviceId) !== null,
      )
    : [];
  return { pins, kept, warnings, undecided };
}

/** Whether the index answers for these cohorts. */
function canBeTold({ missing, ofUsers }: CohortNeed, { isUserUnknown = false }: DecisionInput): boolean {
  return missing.length === 0 && !(ofUsers && isUserUnknown);
}

/** Whether the decision hangs on `cohortIds`: mostly it does not, and they need not be looked up. */
export function asksCohorts(input: DecisionInput): boolean {
  if (!input.snapshot.asksCohorts || !decidesNow(input)) return false;
  return review(input).undecided.some(({ cohorts }) => cohorts !== null && canBeTold(cohorts, input));
}

/** What pins alone decide, by the very pins: every hop of a log-in asks the same. */
const settled = new WeakMap<readonly Pin[], { snapshot: CompiledSnapshot; decision: Decision }>();

export function decide(input: DecisionInput): Decision {
  const { snapshot, pins, override, begins } = input;
  if (pins === undefined || begins || override !== null) return decideAnew(input);
  const known = settled.get(pins);
  if (known?.snapshot === snapshot) return known.decision;
  const decision = decideAnew(input);
  settled.set(pins, { snapshot, decision });
  return decision;
}

function decideAnew(input: DecisionInput): Decision {
  const { snapshot, cohortIds } = input;
  const { pins, kept, warnings, undecided } = review(input);
  const added = new Map<string, Found["note"]>();
  const canTell = ({ cohorts }: CompiledExperiment) => cohorts === null || (!!cohortIds && canBeTold(cohorts, input));
  const withheld = undecided.filter((experiment) => !canTell(experiment));
  const asked = withheld.length === 0 ? undecided : undecided.filter(canTell);
  for (const { id, epoch } of withheld) {
    // Never a guess, and for the whole session: the index may be readable at the next hop, and its page must not flip.
    pins.set(id, { experimentId: id, variationId: null, method: "auto", epoch });
  }
  for (const { pin, note } of asked.length > 0 ? evaluate(input, asked) : []) {
    pins.set(pin.experimentId, pin);
    added.set(pin.experimentId, note);
  }

  const assignments: Assignment[] = [];
  for (const pin of pins.values()) {
    const experiment = snapshot.experiments.get(pin.experimentId);
    const variation = pin.variationId === null ? undefined : experiment?.variations.get(pin.variationId);
    if (!experiment || !variation) continue;
    const pinned = kept.has(pin.experimentId) && pin.method !== "forced" && !added.has(pin.experimentId);
    assignments.push({
      experiment,
      variation,
      control: experiment.control === variation.id,
      method: pinned ? "session" : pin.method,
      ...(pin.segmentId === undefined ? {} : { segmentId: pin.segmentId }),
      epoch: pin.epoch,
      ...added.get(pin.experimentId),
    });
  }
  return {
    assignments,
    pins: pins.size > 0 || input.pins !== undefined ? sameOr(input.pins, [...pins.values()]) : undefined,
    added: assignments.filter(({ experiment }) => added.has(experiment.id)),
    warnings,
    withheld,
  };
}

/** The array itself where its pins are the same, so that who compares need not look inside. */
function sameOr(before: readonly Pin[] | undefined, now: readonly Pin[]): readonly Pin[] {
  return before?.length === now.length && before.every((pin, index) => pin === now[index]) ? before : now;
}
