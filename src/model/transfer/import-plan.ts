/** What importing a file would do to a tenant's resources, and what speaks against it. */
import type { ReadinessOptions } from "../check/check-experiment.ts";
import { checkResources } from "../check/check-resources.ts";
import { byId, placeOf, type Resources } from "../resources.ts";
import { readConfiguration } from "./configuration.ts";
import { settleExperiment, startEpochs } from "./import-experiment.ts";
import { type ImportProblem, placeProblem } from "./import-problem.ts";
import { checkEntries, checkLimits, checkStep } from "./import-rules.ts";
import { differing, type ImportStep, stepsBetween } from "./import-step.ts";

export interface ImportPlan {
  /** In an order in which they can be taken. */
  steps: ImportStep[];
  problems: ImportProblem[];
}

export interface ImportOptions {
  current: Resources;
  /** ISO time of the import. */
  at: string;
  /** Whether what the file does not name is to go. */
  prune: boolean;
  /** How many experiments may be active. */
  activeLimit: number;
  /** Whether the gate can verify the tenant's users; it can unless this says otherwise. */
  verifiesUsers?: boolean;
  /** Of the addresses that cohorts are to be fetched from, those that may not be, each with the reason. */
  refusedAddresses?: Readonly<Record<string, string>> | undefined;
}

/** @param input parsed JSON. Deployments that are new come without keys. */
export function planImport(
  input: unknown,
  { current, at, prune, activeLimit, verifiesUsers = true, refusedAddresses = {} }: ImportOptions,
): ImportPlan {
  const read = readConfiguration(input, { at, current });
  if ("problems" in read) {
    return { steps: [], problems: read.problems.map((problem) => ({ code: "invalid_body", ...problem })) };
  }
  const problems: ImportProblem[] = [];
  const report = (code: string, path: string, message: string) => void problems.push({ code, path, message });
  const named = read.resources;
  checkEntries(named, report);
  if (problems.length > 0) return { steps: [], problems };
  named.cohorts.forEach(({ source }, place) => {
    const fault = source.type === "url" ? refusedAddresses[source.url] : undefined;
    if (fault !== undefined) report("invalid_body", `cohorts[${place}].source.url`, fault);
  });

  const moved = movedVariations(current, named);
  const combine = <Item extends { id: string }>(items: readonly Item[], wanted: readonly Item[]): readonly Item[] => {
    const settled = wanted.map((next) => {
      const item = byId(items, next.id);
      return item !== undefined && differing(item, next).length === 0 ? item : next;
    });
    return [
      ...items.flatMap((item) => (moved.has(item.id) ? [] : (byId(settled, item.id) ?? (prune ? [] : item)))),
      ...settled.filter(({ id }) => moved.has(id) || placeOf(items, id) < 0),
    ];
  };
  const result = {
    feature_flags: combine(current.feature_flags, named.feature_flags),
    variations: combine(current.variations, named.variations),
    segments: combine(current.segments, named.segments),
    groups: combine(current.groups, named.groups),
    deployments: combine(current.deployments, named.deployments),
    experiments: current.experiments,
    cohorts: combine(current.cohorts, named.cohorts),
  };
  const settled = named.experiments.map((wanted, place) => {
    const before = byId(current.experiments, wanted.id);
    return settleExperiment(before, wanted, { resources: result, at, path: `experiments[${place}]`, report });
  });
  result.experiments = combine(current.experiments, settled);
  result.experiments = startEpochs(current, result, at);

  const steps = stepsBetween(current, result, named, moved);
  for (const step of steps) checkStep(step, current, report);
  const found: ImportProblem[] = [];
  checkLimits(current, result, (code, path, message) => void found.push({ code, path, message }));
  // What was wrong before and has nothing to do with the file does not stand in its way.
  const readiness = { activeLimit, verifiesUsers };
  const old = new Set(faultsOf(current, readiness).map((fault) => signatureOf(fault, current)));
  found.push(...faultsOf(result, readiness).filter((fault) => !old.has(signatureOf(fault, result))));
  return { steps, problems: [...problems, ...found.map((problem) => placeProblem(problem, result, named))] };
}

const nothing: Resources = {
  feature_flags: [],
  variations: [],
  experiments: [],
  segments: [],
  groups: [],
  deployments: [],
  cohorts: [],
};

/** The same in every state in which the same is wrong, wherever resources stand. */
function signatureOf(fault: ImportProblem, resources: Resources): string {
  const { code, message } = placeProblem(fault, resources, nothing);
  return `${code} ${message}`;
}

/** A draft may hold another flag's variations, as through the API; its validation says so. */
function faultsOf(resources: Resources, readiness: ReadinessOptions): ImportProblem[] {
  return checkResources(resources, readiness).filter(({ code, path }) => {
    const [, place] = /^experiments\[(\d+)\]/.exec(path) ?? [];
    return code !== "variation_not_from_flag" || resources.experiments[Number(place)]?.status !== "draft";
  });
}

/** Of flags whose variations would not stand in the file's order, which decides who gets which: all that the file names. */
function movedVariations(current: Resources, named: Resources): Set<string> {
  const moved = new Set<string>();
  for (const own of Map.groupBy(named.variations, ({ feature_flag_id }) => feature_flag_id).values()) {
    const places = own.map(({ id }) => placeOf(current.variations, id));
    const ordered = places.map((place) => (place < 0 ? Number.POSITIVE_INFINITY : place));
    const isInOrder = ordered.every((place, index) => index === 0 || place >= (ordered[index - 1] ?? 0));
    if (!isInOrder) for (const { id } of own) moved.add(id);
  }
  return moved;
}
