/** Evaluates the flags of experiments and rollouts for one subject. No I/O, no clock, no platform. */
import type { EvaluationContext, Variant } from "../engine/flag.ts";
import { lacksProperty } from "../model/asked-properties.ts";
import { stickyProperty } from "../model/compile/flag-segments.ts";
import type { AssignmentMethod } from "../model/event.ts";
import {
  type CompiledExperiment,
  type CompiledRollout,
  type CompiledSnapshot,
  type CompiledVariation,
  isHeaderSafe,
} from "../snapshot/compiled.ts";
import type { SubjectKind } from "./unit.ts";

/** What a session remembers of one experiment. `variationId` null: decided that it takes no part. */
export interface Pin {
  experimentId: string;
  variationId: string | null;
  /** How it was first chosen. */
  method: Exclude<AssignmentMethod, "session">;
  segmentId?: string;
  epoch: number;
  /** A page of the experiment's flow with the variation on it has been served. */
  exposed?: true;
}

/** What a flag's own rollout gives. It is served and stamped, and never counted. */
export interface RolloutAssignment {
  flagKey: string;
  variation: CompiledVariation;
  segmentId?: string;
}

/** Who is assigned, and what is known of them. */
export interface DecisionSubject {
  deviceId: string | null;
  userId: string | null;
  /** Whether there may be a user who cannot be verified now: then cohorts of users are unknown. */
  isUserUnknown?: boolean;
  /** What was chosen for this subject in earlier sessions: by experiment id the variation's id, by flag key its key. */
  sticky(kind: SubjectKind, key: string): string | undefined;
  /** The rest of what targeting may ask about; called only when something is evaluated. */
  attributes: () => Record<string, unknown>;
  /** Ids of the cohorts that the subject is in; null or absent where they are unknown. */
  cohortIds?: readonly string[] | null;
}

export function evaluateOpen(
  snapshot: CompiledSnapshot,
  subject: DecisionSubject,
  experiments: readonly CompiledExperiment[],
  rollouts: readonly CompiledRollout[],
): { found: AddedPin[]; rollouts: RolloutAssignment[] } {
  if (experiments.length === 0 && rollouts.length === 0) return { found: [], rollouts: [] };
  const earlier: Record<string, string> = {};
  for (const { sticky, flagKey, subject: kind, variations, id } of experiments) {
    const key = sticky ? variations.get(subject.sticky(kind, id) ?? "")?.key : undefined;
    if (key !== undefined) earlier[stickyProperty(flagKey)] = key;
  }
  for (const { sticky, flagKey, subject: kind } of rollouts) {
    const key = sticky ? subject.sticky(kind, stickyKeyOfRollout(flagKey)) : undefined;
    if (key !== undefined) earlier[stickyProperty(flagKey)] = key;
  }
  const { deviceId, userId, cohortIds } = subject;
  const user = {
    ...subject.attributes(),
    ...(cohortIds ? { cohort_ids: cohortIds } : {}),
    device_id: deviceId,
    user_id: userId,
    user_properties: earlier,
  };
  const keys = [...experiments, ...rollouts].map(({ flagKey }) => flagKey);
  const variants = snapshot.flags.evaluate({ user }, keys);
  const pins = experiments.flatMap((experiment) => pinOf(experiment, variants[experiment.flagKey]) ?? []);
  return {
    found: withNotes(snapshot, pins, user),
    rollouts: rollouts.flatMap((rollout) => rolloutAssignment(rollout, variants[rollout.flagKey]) ?? []),
  };
}

/** The name under which a rollout's choice is remembered; no experiment's id begins so. */
export const stickyKeyOfRollout = (flagKey: string): string => `-${flagKey}`;

function rolloutAssignment(
  { flagKey, variations }: CompiledRollout,
  variant: Variant | undefined,
): RolloutAssignment | null {
  const variation = variations.get(variant?.key ?? "");
  if (variation === undefined) return null;
  const { segmentId } = variant?.metadata ?? {};
  return { flagKey, variation, ...(typeof segmentId === "string" && isHeaderSafe(segmentId) ? { segmentId } : {}) };
}

const methods = new Map<unknown, "inclusion" | "sticky">([
  ["individual-inclusions", "inclusion"],
  ["sticky-bucketing", "sticky"],
]);

/** The flag's variant as a pin, or null when the flag could not be evaluated (it is evaluated again next time). */
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
    ...(isTargeted && isHeaderSafe(segmentId) ? { segmentId } : {}),
    epoch: experiment.epoch,
  };
}

export type User = NonNullable<EvaluationContext["user"]>;

/** Details of a new assignment that only the analysis needs. */
export interface AssignmentNote {
  /** The variation that the hash alone gives, where an earlier choice was kept; null when it gives none. */
  hashedVariationId?: string | null;
  /** Properties that the experiment's rules ask about and the subject lacks. */
  missing?: readonly string[];
}

/** A new pin, and what only the analysis needs of how it was chosen. */
export interface AddedPin {
  pin: Pin;
  note: AssignmentNote;
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
export function withNotes(snapshot: CompiledSnapshot, pins: readonly Pin[], user: User): AddedPin[] {
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
