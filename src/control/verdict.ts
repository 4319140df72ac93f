/** Why a subject gets what it gets of one flag, in one line: what the engine's trace says, in terms of the resources. */
import type { Variant } from "../engine/flag.ts";
import type { FlagTrace, SegmentTrace } from "../engine/trace.ts";
import { checkExperiment } from "../model/check/check-experiment.ts";
import { checkFlag, isHarmless } from "../model/check/check-flag.ts";
import { allOtherUsers } from "../model/compile/flag-segments.ts";
import { isRolledOut } from "../model/compile/rollout-flag.ts";
import type { Experiment } from "../model/experiment.ts";
import type { FeatureFlag } from "../model/feature-flag.ts";
import { experimentsOn, type ResourceProblem, type Resources, variationsOf } from "../model/resources.ts";
import type { Variation } from "../model/variation.ts";

export type Reason =
  | "inclusion"
  | "sticky"
  | "segment"
  | "all_users"
  | "dependency"
  | "not_allocated"
  | "no_subject"
  | "no_cohorts"
  | "no_match"
  | "fault"
  | "not_served";

export interface Verdict {
  reason: Reason;
  /** Undefined: no variation is assigned. */
  variation?: Variation;
  segmentId?: string;
  explanation: string;
}

const preAssignments: ReadonlyMap<unknown, { reason: Reason; because: string }> = new Map([
  ["individual-inclusions", { reason: "inclusion", because: "the subject is included individually" }],
  ["sticky-bucketing", { reason: "sticky", because: "the subject keeps what it was assigned before" }],
]);

/** Of a flag that is evaluated. @param variant what the flag gave; undefined when it gave nothing */
export function verdictOf(
  flag: FeatureFlag,
  resources: Resources,
  { segments, fault }: FlagTrace,
  variant: Variant | undefined,
): Verdict {
  if (fault !== undefined) return { reason: "fault", explanation: `the flag cannot be evaluated: ${fault}` };
  const decided = segments.at(-1);
  if (variant === undefined || decided === undefined) {
    return { reason: "no_match", explanation: "no segment gives a variation" };
  }
  const variation = variationsOf(flag, resources).find(({ key }) => key === variant.key);
  if (variation === undefined) return unassigned(decided);
  const { segmentId } = variant.metadata ?? {};
  const isSegment = typeof segmentId === "string";
  const early = isSegment ? undefined : preAssignments.get(decided.name);
  const isRest = !isSegment && decided.name === allOtherUsers;
  const reason = early?.reason ?? (isRest ? "all_users" : "segment");
  const because = early?.because ?? (isRest ? "all other users" : `segment "${decided.name}" matches`);
  return {
    reason,
    variation,
    ...(isSegment ? { segmentId } : {}),
    explanation: `variation "${variation.name}": ${because}${bucketWords(decided)}`,
  };
}

function bucketWords({ bucket }: SegmentTrace): string {
  return bucket?.hash === undefined ? "" : `, by hash ${bucket.hash}`;
}

/** A segment matched and gave `off`. */
function unassigned({ name, bucket, groups }: SegmentTrace): Verdict {
  if (name === "flag-dependencies") {
    const [failed] = groups.flat().filter(({ matched }) => matched);
    const [, key = ""] = failed?.condition.selector ?? [];
    const wanted = failed?.condition.values.join(", ");
    const saw = failed?.saw === undefined ? "nothing" : String(failed.saw);
    return { reason: "dependency", explanation: `flag "${key}" must give one of ${wanted}, and gives ${saw}` };
  }
  if (bucket === undefined) return { reason: "not_allocated", explanation: `segment "${name}" is allocated nothing` };
  const field = bucket.selector.at(-1);
  if (bucket.input === undefined) {
    return { reason: "no_subject", explanation: `the split of "${name}" is by ${field}, which was not given` };
  }
  const place = `the subject's bucket is ${bucket.allocation} of 0 to 99`;
  return { reason: "not_allocated", explanation: `${place}, outside the percentage that "${name}" is allocated` };
}

/** Of an experiment that splits by an id which was not given: the gate asks nothing then, not even who is included. */
export function withoutSubject({ name, assignment_config }: Experiment): Verdict {
  const field = `${assignment_config.subject}_id`;
  return { reason: "no_subject", explanation: `experiment "${name}" assigns by ${field}, which was not given` };
}

/** Of a flag that asks about cohorts, while nobody can tell: the gate does not guess either. */
export function withoutCohorts(lack: string): Verdict {
  return { reason: "no_cohorts", explanation: `${lack}: nobody is newly assigned` };
}

/** Of a flag that serves nobody now, or of an experiment that does not. */
export function notServed(flag: FeatureFlag, resources: Resources, experiment?: Experiment): Verdict {
  const experiments = experiment ? [experiment] : experimentsOn(flag, resources);
  const shown = experiments.filter(({ status }) => experiment !== undefined || status !== "archived");
  const lines = shown.map((one) => experimentLine(one, resources));
  if (flag.status !== "active") lines.unshift(`feature flag "${flag.name}" is ${flag.status}: it serves nobody`);
  else if (lines.length === 0 && !isRolledOut(flag)) lines.push("there is no active experiment and no rollout");
  if (experiment === undefined && isRolledOut(flag)) {
    const problems = checkFlag(flag, resources).filter((problem) => !isHarmless(problem));
    if (problems.length > 0) lines.push(`the flag and its rollout are not valid (${listed(problems)})`);
  }
  return { reason: "not_served", explanation: lines.join("; ") };
}

function experimentLine(experiment: Experiment, resources: Resources): string {
  const { name, status } = experiment;
  if (status !== "active") return `experiment "${name}" is ${status}: nobody is newly assigned`;
  const problems = checkExperiment(experiment, resources, { activeLimit: Number.POSITIVE_INFINITY });
  return problems.length === 0
    ? `experiment "${name}" is active, but its flag serves another`
    : `experiment "${name}" is active but not valid, so nobody is newly assigned (${listed(problems)})`;
}

function listed(problems: readonly ResourceProblem[]): string {
  return problems.map(({ code, message }) => `${code}: ${message}`).join("; ");
}
