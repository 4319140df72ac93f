/** The states of an experiment: which may follow which, and what may be edited in each. */
import type { Experiment, ExperimentPatch, ExperimentTransition } from "./experiment.ts";
import { type ManagementCode, Problem, problems } from "./problem.ts";
import type { ExperimentStatus } from "./snapshot.ts";

type Target = ExperimentTransition["status"];
export type PatchField = keyof ExperimentPatch;

/** What an experiment's status may become. */
export const followers: Readonly<Record<ExperimentStatus, readonly Target[]>> = {
  draft: ["active", "archived"],
  active: ["paused", "completed"],
  paused: ["active", "completed"],
  completed: ["archived"],
  archived: [],
};

/** @throws {Problem} unless an experiment may go from `from` to `to` */
export function expectTransition(from: ExperimentStatus, to: Target): void {
  if (followers[from].includes(to)) return;
  if (to === "active" && (from === "completed" || from === "archived")) {
    throw new Problem("experiment_completed", `It is ${from}; create a new one.`);
  }
  const next = followers[from].join(" or ");
  throw new Problem("invalid_status_transition", `It is ${from}, and ${next ? `may become ${next}` : "stays so"}.`);
}

type Lock = (experiment: Experiment) => ManagementCode | undefined;

/** Fixed once activated. What is archived without ever having been active is locked as archived. */
const untilStarted =
  (code: ManagementCode): Lock =>
  ({ status }) =>
    status === "draft" ? undefined : status === "archived" ? "experiment_locked" : code;

const whileNotServed: Lock = ({ status }) => {
  if (status === "active") return "experiment_requires_pause";
  return status === "completed" || status === "archived" ? "experiment_locked" : undefined;
};

/** By field, in the order they are shown, why it may not be edited now. */
const locks: Readonly<Record<PatchField, Lock>> = {
  name: () => undefined,
  description: () => undefined,
  authentication_flow: untilStarted("authentication_flow_locked"),
  assignment_config: untilStarted("assignment_config_locked"),
  allocations: whileNotServed,
  levels: ({ status }) => (status === "draft" ? undefined : "levels_locked"),
  bucketing_salt: whileNotServed,
};
export const patchFields = Object.keys(locks) as PatchField[];

/** The fields that `expectEditable` lets through. */
export function editableFields(experiment: Experiment): PatchField[] {
  return patchFields.filter((field) => locks[field](experiment) === undefined);
}

/** @throws {Problem} when `patch` holds a field, changed or not, that is locked in the experiment's state */
export function expectEditable(experiment: Experiment, patch: ExperimentPatch): void {
  for (const field of patchFields) {
    const code = Object.hasOwn(patch, field) ? locks[field](experiment) : undefined;
    if (code === undefined) continue;
    // The documented messages name their field themselves.
    if (field !== "bucketing_salt" && code !== "experiment_locked") throw new Problem(code);
    const { title } = problems[code];
    const detail = `${field}: only ${editableFields(experiment).join(", ")} may change.`;
    throw new Problem(code, detail, title.endsWith(".") ? title : `${title}.`);
  }
}
