/** Experiments as a file wants them, brought together with what they are: some of it only the control plane counts. */
import { activated } from "../activate-experiment.ts";
import { isSticky } from "../compile/experiment-flag.ts";
import { populations } from "../compile/group-flag.ts";
import { newEpoch, withEpoch } from "../epoch.ts";
import { currentLevel, type Experiment, type ExperimentTransition, nextLevel } from "../experiment.ts";
import { expectEditable, expectTransition, type PatchField, patchFields } from "../experiment-status.ts";
import { isSameJson } from "../json-value.ts";
import { Problem } from "../problem.ts";
import { byId, flagOf, type Resources } from "../resources.ts";
import type { ReportImport } from "./import-problem.ts";

interface Surroundings {
  /** What the experiment will refer to. */
  resources: Resources;
  /** ISO time of the import. */
  at: string;
  /** Where the experiment stands in the file. */
  path: string;
  report: ReportImport;
}

/** `wanted` as it is to be stored; what it may not become is reported. */
export function settleExperiment(
  before: Experiment | undefined,
  wanted: Experiment,
  { resources, at, path, report }: Surroundings,
): Experiment {
  if (before === undefined) return begun(wanted, resources, at);
  const { started_at: _, ended_at: __, current_level: ___, ...rest } = wanted;
  const level = levelOf(before, wanted, path, report);
  const kept: Experiment = {
    ...rest,
    ...fieldsOf(before, "feature_flag_snapshot", "started_at", "ended_at"),
    ...(level === undefined ? {} : { current_level: level }),
    allocations: isSameJson(sharesOf(before), sharesOf(wanted)) ? before.allocations : wanted.allocations,
    epoch: Math.max(before.epoch, wanted.epoch),
  };
  reportLocks(before, kept, path, report);
  const next = moved(before, kept, { resources, at, path, report });
  return before.status === "draft" ? next : withEpoch(before, next);
}

/** One that is new, in whichever state. */
function begun(wanted: Experiment, resources: Resources, at: string): Experiment {
  const { status, started_at: _, ended_at: __, ...fresh } = wanted;
  if (status === "draft") return { ...fresh, status };
  if (status === "archived") return wanted;
  const started = { ...activated(wanted, resources, at), status };
  return status === "completed" ? { ...started, ended_at: wanted.ended_at ?? at } : started;
}

function moved(before: Experiment, kept: Experiment, { resources, at, path, report }: Surroundings): Experiment {
  const { status } = kept;
  if (status === before.status) return kept;
  refused(() => expectTransition(before.status, status as ExperimentTransition["status"]), `${path}.status`, report);
  if (status === "active") return activated(kept, resources, at);
  return status === "completed" ? { ...kept, ended_at: at } : kept;
}

/** A file may be older than the ramp, which goes up only: a level that is past is no fault and changes nothing. */
function levelOf(before: Experiment, wanted: Experiment, path: string, report: ReportImport): number | undefined {
  const { current_level: level } = wanted;
  if (before.status === "draft" && !isSameJson(before.levels, wanted.levels)) return level;
  if (level === undefined || level <= currentLevel(before)) return before.current_level;
  const next = nextLevel(before);
  if (before.status !== "draft" && level !== next) {
    const way = next === undefined ? "is the last" : `goes to ${next} next`;
    report("invalid_ramp_level", `${path}.current_level`, `the ramp is at ${currentLevel(before)}, which ${way}`);
  }
  return level;
}

/** Either state counts: an experiment may be paused and edited at once, or edited and activated. */
function reportLocks(before: Experiment, kept: Experiment, path: string, report: ReportImport): void {
  const plain = (experiment: Experiment): Partial<Record<PatchField, unknown>> => ({
    ...experiment,
    allocations: sharesOf(experiment),
  });
  const [was, is] = [plain(before), plain(kept)];
  for (const field of patchFields) {
    if (isSameJson(was[field], is[field])) continue;
    const patch = { [field]: is[field] };
    const isEditable = [before, { ...before, status: kept.status }].some((state) => {
      return !refused(() => expectEditable(state, patch));
    });
    if (!isEditable) refused(() => expectEditable(before, patch), `${path}.${field}`, report);
  }
}

/** Whether `expect` throws a problem, which then is reported. */
function refused(expect: () => void, path = "", report?: ReportImport): boolean {
  try {
    expect();
    return false;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    report?.(error.code, path, error.message);
    return true;
  }
}

/** Allocations without the copies that an activation took. */
function sharesOf({ allocations }: Experiment): unknown[] {
  return allocations.map(({ variation_snapshot: _, segment_snapshot: __, ...allocation }) => allocation);
}

function fieldsOf<Name extends keyof Experiment>(experiment: Experiment, ...names: Name[]): Pick<Experiment, Name> {
  return Object.fromEntries(
    names.flatMap((name) => (experiment[name] === undefined ? [] : [[name, experiment[name]]])),
  ) as Pick<Experiment, Name>;
}

/**
 * Experiments under way whose flag has become sticky, or no longer is, or has another population by its groups, go on in
 * a new epoch, as after an edit of the flag or the group.
 */
export function startEpochs(before: Resources, after: Resources, at: string): readonly Experiment[] {
  const [had, has] = [populationOf(before), populationOf(after)];
  return after.experiments.map((experiment) => {
    const earlier = byId(before.experiments, experiment.id);
    const isUnderWay = experiment.status === "active" || experiment.status === "paused";
    if (earlier === undefined || earlier.status === "draft" || !isUnderWay) return experiment;
    const [flag, flagNow] = [flagOf(earlier, before), flagOf(experiment, after)];
    if (flag === undefined || flagNow === undefined) return experiment;
    const isSame =
      isSticky(earlier, flag) === isSticky(experiment, flagNow) && had.get(flag.id) === has.get(flagNow.id);
    return isSame || experiment.epoch > earlier.epoch ? experiment : { ...newEpoch(experiment), updated_at: at };
  });
}

/** By flag, whom its groups let through to it, as text. */
function populationOf({ groups }: Resources): Map<string, string> {
  const texts = new Map<string, string>();
  for (const group of groups) {
    for (const [flagId, text] of populations(group))
      texts.set(flagId, `${texts.get(flagId) ?? ""} ${group.id} ${text}`);
  }
  return texts;
}
