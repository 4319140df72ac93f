/** Which variants an app gets of the flags it may fetch: override → evaluation. No session: nothing is pinned. */
import type { EvaluationContext, Variant } from "../engine/flag.ts";
import type { WarningCode } from "../model/log-entry.ts";
import type { CompiledExperiment, CompiledSnapshot } from "../snapshot/compiled.ts";
import { activeByFlag } from "../snapshot/deployments.ts";
import { type Assignment, type Override, resolveOverride } from "./decide.ts";
import { pinOf, type User, withNotes } from "./evaluation.ts";

export interface ServeInput {
  snapshot: CompiledSnapshot;
  /** Of the flags that are asked for and may be given; unknown ones are ignored. */
  flagKeys: readonly string[];
  user: User;
  groups?: EvaluationContext["groups"];
  override: Override | null;
  /** Ids of the cohorts that the user is in; null where nobody can tell. Counts when `servesByCohorts` does. */
  cohortIds?: readonly string[] | null;
}

export interface ServedFlag {
  key: string;
  /** As the engine gives it, shared and frozen; `off` where the user takes no part. */
  variant: Variant;
  /** The experiment that decided; null for a flag that is rolled out by itself. */
  experiment: CompiledExperiment | null;
  /** Null where the variant is no variation of an experiment. */
  assignment: Assignment | null;
}

export interface Served {
  /** In the order of `flagKeys`. */
  flags: readonly ServedFlag[];
  /** Flags that nobody can answer for now: why. */
  withheld: ReadonlyMap<string, "cohort_unavailable" | "flag_broken">;
  warnings: readonly WarningCode[];
}

/** Whether an answer hangs on the cohorts that the user is in, as far as their index can tell. */
export function servesByCohorts({ snapshot, flagKeys }: Pick<ServeInput, "snapshot" | "flagKeys">): boolean {
  return snapshot.cohorts !== null && flagKeys.some((key) => snapshot.cohortNeedOf(key)?.missing.length === 0);
}

export function serve(input: ServeInput): Served {
  const { snapshot, override, cohortIds } = input;
  const asked = [...new Set(input.flagKeys)];
  const resolved = override && forcedFlag(snapshot, override);
  const forced = typeof resolved === "string" ? null : resolved;
  const withheld = new Map<string, "cohort_unavailable" | "flag_broken">();
  const evaluated = asked.filter((key) => {
    if (forced?.key === key) return false;
    const need = snapshot.cohortNeedOf(key);
    const canBeTold = need === null || (need.missing.length === 0 && !!cohortIds);
    // Never a guess.
    if (!canBeTold) withheld.set(key, "cohort_unavailable");
    else if (snapshot.flags.faults.has(key)) withheld.set(key, "flag_broken");
    return canBeTold && snapshot.flagByKey.has(key);
  });
  const user = { ...input.user, ...(cohortIds ? { cohort_ids: cohortIds } : {}) };
  const context = { user, ...(input.groups === undefined ? {} : { groups: input.groups }) };
  const variants = snapshot.flags.evaluate(context, evaluated);
  const experiments = activeByFlag(snapshot);
  const assignments = assignmentsOf(snapshot, experiments, variants, evaluated, user);
  const flags = asked.flatMap((key): ServedFlag[] => {
    if (forced?.key === key) return [forced];
    const variant = Object.hasOwn(variants, key) ? variants[key] : undefined;
    if (variant === undefined || variant.metadata?.deployed === false || withheld.has(key)) return [];
    const experiment = experiments.get(key) ?? null;
    return [{ key, variant, experiment, assignment: (experiment && assignments.get(experiment.id)) ?? null }];
  });
  return { flags, withheld, warnings: typeof resolved === "string" ? [resolved] : [] };
}

/** By experiment. */
function assignmentsOf(
  snapshot: CompiledSnapshot,
  experiments: ReadonlyMap<string, CompiledExperiment>,
  variants: Record<string, Variant>,
  flagKeys: readonly string[],
  user: User,
): Map<string, Assignment> {
  const pins = flagKeys.flatMap((key) => {
    const experiment = experiments.get(key);
    return (experiment && pinOf(experiment, variants[key])) ?? [];
  });
  const found = new Map<string, Assignment>();
  for (const { pin, note } of withNotes(snapshot, pins, user)) {
    const experiment = snapshot.experiments.get(pin.experimentId);
    const variation = experiment?.variations.get(pin.variationId ?? "");
    if (!experiment || !variation) continue;
    const { experimentId: _, variationId: __, ...rest } = pin;
    found.set(experiment.id, { experiment, variation, control: experiment.control === variation.id, ...rest, ...note });
  }
  return found;
}

/** What QA asks for, or the warning that says why there is none of it. */
function forcedFlag(snapshot: CompiledSnapshot, override: Override): ServedFlag | WarningCode | null {
  const pin = resolveOverride(snapshot, override);
  if (pin === null || typeof pin === "string") return pin;
  const experiment = snapshot.experiments.get(pin.experimentId);
  const variation = experiment?.variations.get(pin.variationId ?? "");
  if (!experiment || !variation) return null;
  return {
    key: experiment.flagKey,
    variant: {
      key: variation.key,
      value: variation.key,
      payload: variation.config,
      metadata: {
        deployed: true,
        evaluationMode: "remote",
        flagType: "experiment",
        flagVersion: snapshot.version,
        experimentKey: experiment.id,
        epoch: experiment.epoch,
        segmentName: "forced",
        // A forced variation never enters the statistics: Amplitude's clients send no exposure of it then.
        trackExposure: false,
      },
    },
    experiment,
    assignment: {
      experiment,
      variation,
      control: experiment.control === variation.id,
      method: "forced",
      ...(pin.segmentId === undefined ? {} : { segmentId: pin.segmentId }),
      epoch: pin.epoch,
    },
  };
}
