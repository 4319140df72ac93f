import type { Experiment } from "../../model/experiment.ts";
import { Problem } from "../../model/problem.ts";
import type { Draft } from "../tables.ts";

/** @throws {Problem} when there is none */
export function findExperiment(draft: Draft, id: string): Experiment {
  const experiment = draft.get("experiment", id);
  if (experiment === undefined) throw new Problem("experiment_not_found");
  return experiment;
}
