/** What moves an experiment on: validation, transitions, the ramp. */
import { activated } from "../../model/activate-experiment.ts";
import { checkExperiment } from "../../model/check/check-experiment.ts";
import { warnAboutExperiment } from "../../model/check/warn-experiment.ts";
import {
  currentLevel,
  type Experiment,
  type ExperimentTransition,
  nextLevel,
  type Ramp,
} from "../../model/experiment.ts";
import { expectTransition } from "../../model/experiment-status.ts";
import { presentExperiment, presentProblem, type ValidationError } from "../../model/present-experiment.ts";
import { type ManagementCode, Problem, problems } from "../../model/problem.ts";
import type { CommandContext, Input } from "../command.ts";
import { findExperiment } from "./find-experiment.ts";

type Id = Input<"id", unknown>;

export const experimentStatusCommands = {
  validate_experiment(context: CommandContext, { params }: Id) {
    const { draft, tenant } = context;
    const experiment = findExperiment(draft, params.id);
    const errors = validate(context, experiment);
    const warnings = warnAboutExperiment(experiment, draft.resources(), tenant);
    return { is_valid: errors.length === 0, errors, ...(warnings.length > 0 ? { warnings } : {}) };
  },

  update_experiment_status(context: CommandContext, { params, body }: Input<"id", unknown, ExperimentTransition>) {
    const { draft, tenant, at } = context;
    const experiment = findExperiment(draft, params.id);
    const { status } = body;
    expectTransition(experiment.status, status);
    if (status === "active") expectValid(validate(context, experiment));
    const next: Experiment = {
      ...(status === "active" ? activated(experiment, draft.resources(), at) : { ...experiment, status }),
      ...(status === "completed" ? { ended_at: at } : {}),
      updated_at: at,
    };
    draft.put("experiment", next);
    return presentExperiment(next, draft.resources(), tenant);
  },

  advance_experiment_ramp(context: CommandContext, { params, body }: Input<"id", unknown, Ramp>) {
    const { draft, tenant, at } = context;
    const experiment = findExperiment(draft, params.id);
    const { target_level } = body;
    expectRamp(experiment, target_level);
    const next =
      target_level === currentLevel(experiment)
        ? experiment
        : { ...experiment, current_level: target_level, updated_at: at };
    if (next !== experiment) draft.put("experiment", next);
    return presentExperiment(next, draft.resources(), tenant);
  },
};

/** A draft is judged as if it were to be activated. */
function validate({ draft, tenant }: CommandContext, experiment: Experiment): ValidationError[] {
  const resources = draft.resources();
  return checkExperiment(experiment, resources, tenant).map((problem) => presentProblem(problem, resources));
}

/** @throws {Problem} with the code of the only kind of error there is, or one for several */
function expectValid(errors: readonly ValidationError[]): void {
  const [first] = errors;
  if (first === undefined) return;
  const isOne = errors.every(({ code }) => code === first.code) && isRefusal(first.code);
  const { title } = problems.experiment_validation_failed;
  const detail = errors.map(({ code, message }) => `${code}: ${message}`).join("; ");
  throw new Problem(isOne ? (first.code as ManagementCode) : "experiment_validation_failed", `${detail}.`, title);
}

/** Some codes of validation mean "not found" elsewhere; an activation is refused with 400 whatever the reason. */
function isRefusal(code: string): boolean {
  return Object.hasOwn(problems, code) && problems[code as ManagementCode].status === 400;
}

/** @throws {Problem} unless the ramp may go to `target`, or is there */
function expectRamp(experiment: Experiment, target: number): void {
  const { status, levels = [] } = experiment;
  if (status !== "active" && status !== "paused") {
    throw new Problem(
      "invalid_ramp_level",
      `The experiment is ${status}; only an active or paused one has a ramp to go up.`,
    );
  }
  if (levels.length === 0) throw new Problem("invalid_ramp_level", "The experiment has no levels.");
  const current = currentLevel(experiment);
  const next = nextLevel(experiment);
  if (target === current || target === next) return;
  const way = next === undefined ? "the last one" : `next is ${next}`;
  throw new Problem("invalid_ramp_level", `target_level: the current level is ${current}, ${way}; not ${target}.`);
}
