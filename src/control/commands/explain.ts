import { type CompiledFlags, compileFlags } from "../../engine/compile.ts";
import { explain } from "../../engine/explain.ts";
import type { Flag } from "../../engine/flag.ts";
import type { BucketTrace, FlagTrace } from "../../engine/trace.ts";
import { createCohortNeeds } from "../../model/cohort-needs.ts";
import type { Experiment } from "../../model/experiment.ts";
import { contextOf, type ExplainQuery, givenCohorts } from "../../model/explain-query.ts";
import type { FeatureFlag } from "../../model/feature-flag.ts";
import { Problem } from "../../model/problem.ts";
import { byId, type Resources } from "../../model/resources.ts";
import type { Snapshot } from "../../model/snapshot.ts";
import type { CommandContext, Input } from "../command.ts";
import { notServed, type Verdict, verdictOf, withoutCohorts, withoutSubject } from "../verdict.ts";

interface Target {
  flag: FeatureFlag;
  /** The one asked about; undefined for whichever is active. */
  experiment?: Experiment;
}

interface Ready {
  flags: ReadonlyMap<string, Flag>;
  compiled: CompiledFlags;
  /** Ids of the cohorts that a flag asks about; null when it asks about none. */
  needsOf: (flagKey: string) => readonly string[] | null;
}

/** What the border has learnt of the subject: ids of the cohorts that it is in, null where nobody could tell. */
export interface Memberships {
  memberships: readonly string[] | null;
}

const readySnapshots = new WeakMap<Snapshot, Ready>();

function readyOf(snapshot: Snapshot): Ready {
  const flags = snapshot.flags as readonly Flag[];
  const ready = readySnapshots.get(snapshot) ?? {
    flags: new Map(flags.map((flag) => [flag.key, flag])),
    compiled: compileFlags(flags),
    needsOf: createCohortNeeds(flags),
  };
  readySnapshots.set(snapshot, ready);
  return ready;
}

export const explainCommands = {
  /** Of what is committed, published or not. */
  explain({ draft, desk }: CommandContext, { query, body }: Input<never, ExplainQuery, Memberships | undefined>) {
    const resources = draft.resources();
    const targets = targetsOf(query, resources);
    const snapshot = desk.snapshot();
    const { flags, compiled, needsOf } = readyOf(snapshot);
    const given = givenCohorts(query);
    const cohorts = given ?? body?.memberships ?? null;
    const context = contextOf(query, cohorts);
    const traces = new Map<string, FlagTrace>();
    const results = compiled.evaluate(
      context,
      targets.map(({ flag }) => flag.key),
      { push: (trace) => traces.set(trace.flag, trace) },
    );

    /** What keeps the edge from telling what a flag asks of cohorts; undefined when nothing does. */
    function cohortsLack(flagKey: string): string | undefined {
      const needed = given === undefined ? needsOf(flagKey) : null;
      if (needed === null) return undefined;
      if (cohorts === null) return "nobody can tell now which cohorts the subject is in";
      const missing = needed.filter((id) => !Object.hasOwn(snapshot.cohorts?.ready ?? {}, id));
      const named = missing.map((id) => `"${byId(resources.cohorts, id)?.name ?? id}"`);
      return named.length === 0 ? undefined : `members are not published yet of cohort ${named.join(", ")}`;
    }

    return {
      version: desk.facts().version ?? 0,
      context,
      cohorts,
      cohorts_explanation: given ? cohortWords.given : cohorts === null ? cohortWords.unknown : cohortWords.asked,
      flags: targets.map(({ flag, experiment: asked }) => {
        const served = flags.get(flag.key);
        const activeId = served?.metadata?.experimentKey;
        const active = typeof activeId === "string" ? byId(resources.experiments, activeId) : undefined;
        const isServed = served !== undefined && (asked === undefined || asked === active);
        const lacksSubject = active !== undefined && context.user?.[`${active.assignment_config.subject}_id`] === null;
        const lack = isServed && !lacksSubject ? cohortsLack(flag.key) : undefined;
        const trace = isServed && !lacksSubject && lack === undefined ? traces.get(flag.key) : undefined;
        const verdict =
          trace !== undefined
            ? verdictOf(flag, resources, trace, results[flag.key])
            : lack !== undefined
              ? withoutCohorts(lack)
              : isServed && active !== undefined
                ? withoutSubject(active)
                : notServed(flag, resources, asked);
        const needed = trace === undefined ? [] : neededBy(flag.key, flags);
        return {
          flag_key: flag.key,
          feature_flag_id: flag.id,
          experiment_id: (asked ?? active)?.id ?? null,
          ...shown(verdict),
          trace: trace === undefined ? null : traceData(trace),
          words: trace === undefined ? [] : explain(trace),
          depends_on: needed.flatMap((key) => {
            const other = traces.get(key);
            if (other === undefined) return [];
            return [
              { flag_key: key, variation_key: other.variant ?? null, trace: traceData(other), words: explain(other) },
            ];
          }),
        };
      }),
    };
  },
};

const cohortWords = {
  given: "as the query says in cohort_ids",
  asked: "as the members are now; the edge has them once their index is published, some seconds later",
  unknown: "the members of cohorts cannot be reached: say in cohort_ids which cohorts the subject is in, or try again",
};

/** @throws {Problem} when what is asked about does not exist */
function targetsOf({ flag_key, experiment_id }: ExplainQuery, resources: Resources): Target[] {
  const flags = resources.feature_flags.filter(({ key }) => flag_key === undefined || key === flag_key);
  if (flag_key !== undefined && flags.length === 0) {
    throw new Problem("feature_flag_not_found", `There is none with the key ${flag_key}.`);
  }
  if (experiment_id === undefined) return flags.map((flag) => ({ flag }));
  const experiment = byId(resources.experiments, experiment_id);
  const flag = flags.find(({ id }) => id === experiment?.feature_flag_id);
  if (experiment === undefined || flag === undefined) {
    throw new Problem("experiment_not_found", experiment && `${experiment.id} is not on feature flag ${flag_key}.`);
  }
  return [{ flag, experiment }];
}

function shown({ reason, variation, segmentId, explanation }: Verdict) {
  const isPreAssigned = reason === "inclusion" || reason === "sticky";
  return {
    variation_id: variation?.id ?? null,
    variation_key: variation?.key ?? null,
    segment_id: segmentId ?? null,
    /** As the stamp says it. */
    method: variation === undefined ? null : isPreAssigned ? reason : "auto",
    reason,
    explanation,
  };
}

/** Keys of the flags that are evaluated before `key`, directly or through others. */
function neededBy(key: string, flags: ReadonlyMap<string, Flag>): string[] {
  const found = new Set<string>();
  const waiting = [key];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const dependency of flags.get(next)?.dependencies ?? []) {
      if (found.has(dependency)) continue;
      found.add(dependency);
      waiting.push(dependency);
    }
  }
  return [...found];
}

function traceData({ flag, segments, variant, fault }: FlagTrace) {
  return {
    flag,
    variant: variant ?? null,
    fault: fault ?? null,
    segments: segments.map((segment) => ({ ...segment, bucket: segment.bucket && bucketData(segment.bucket) })),
  };
}

function bucketData({ allocationRange, distributionRange, ...bucket }: BucketTrace) {
  return { ...bucket, allocation_range: allocationRange, distribution_range: distributionRange };
}
