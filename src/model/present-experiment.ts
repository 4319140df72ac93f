/** Experiments and what is wrong with them, as the management API shows them. */
import { checkExperiment, type ReadinessOptions } from "./check/check-experiment.ts";
import { currentLevel, type Experiment } from "./experiment.ts";
import { editableFields, type PatchField } from "./experiment-status.ts";
import type { ResourceProblem, Resources } from "./resources.ts";
import { shown } from "./shown.ts";

export interface PresentedExperiment extends Experiment {
  is_valid: boolean;
  editable_fields: PatchField[];
}

/** @param experiment one of `resources` */
export function presentExperiment(
  experiment: Experiment,
  resources: Resources,
  options: ReadinessOptions,
): PresentedExperiment {
  return shown("experiment", {
    ...experiment,
    ...(experiment.levels?.length ? { current_level: currentLevel(experiment) } : {}),
    is_valid: checkExperiment(experiment, resources, options).length === 0,
    editable_fields: editableFields(experiment),
  });
}

export interface ValidationError {
  code: string;
  message: string;
}

/** Says where by names: the places of resources in the store mean nothing outside. */
export function presentProblem({ code, message, path }: ResourceProblem, resources: Resources): ValidationError {
  const [, kind = "", place, under = ""] = /^(\w+)\[(\d+)\]\.?(.*)$/s.exec(path) ?? [];
  const named = resources[kind as keyof Resources]?.[Number(place)];
  const owner =
    kind === "experiments" || named === undefined ? "" : `${kind.slice(0, -1).replace("_", " ")} "${named.name}"`;
  const where = [owner, under].filter(Boolean).join(", ");
  return { code, message: where ? `${where}: ${message}` : message };
}
