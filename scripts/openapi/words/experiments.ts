import { maxStampedConfigCharacters } from "../../../src/model/check/warn-experiment.ts";
import { type ManagementCode, problems } from "../../../src/model/problem.ts";
import { problemCodes } from "../../../src/model/resources.ts";
import type { Topic } from "../operation-words.ts";

const split = ["too_many_allocations", "unknown_segment"] as const;

/** Errors of validation that refuse an activation by their own code, where there is no other; one never comes alone. */
const lone = problemCodes.filter((code): code is typeof code & ManagementCode => {
  const found: { status: number } | undefined = problems[code as ManagementCode];
  return found?.status === 400 && code !== "experiment_missing_allocations";
});

export const experiments: Topic = {
  name: "Experiments",
  description:
    "Who gets which variation of a feature flag. One experiment of a tenant is active at a time, unless its settings say more.",
  operations: {
    get_experiments: {
      summary: "List experiments",
      description: "Page by page, in the order they were made. Filters are exact; several must all match.",
      answer: "ExperimentPage",
      refusals: [],
    },
    create_experiment: {
      summary: "Create an experiment",
      description:
        "It begins as a draft. `allocation_strategy`, `assignment_config` and `allocations` are needed too, with a refusal of their own. A draft may be incomplete otherwise, and name variations of another flag: validation tells.",
      answer: "Experiment",
      refusals: [
        ...split,
        "experiment_incomplete",
        "experiment_draft_limit_exceeded",
        "feature_flag_not_found",
        "experiment_name_taken",
      ],
    },
    get_experiment: {
      summary: "Get an experiment",
      description: "One experiment with its allocations, whether it is valid now, and which fields may be edited now.",
      answer: "Experiment",
      refusals: ["experiment_not_found"],
    },
    update_experiment: {
      summary: "Change an experiment",
      description:
        "Only what is sent changes; `allocations` are replaced as a whole, `description: null` takes it away. `editable_fields` names what may be sent in the current status. A change of the split of an experiment that has run begins a new epoch.",
      answer: "Experiment",
      refusals: [
        ...split,
        "variation_not_from_flag",
        "experiment_requires_pause",
        "authentication_flow_locked",
        "assignment_config_locked",
        "levels_locked",
        "experiment_locked",
        "experiment_not_found",
        "experiment_name_taken",
      ],
    },
    delete_experiment: {
      summary: "Delete an experiment",
      description: "Its allocations go with it. Deleting what is not there succeeds too.",
      refusals: ["experiment_is_active"],
    },
    update_experiment_status: {
      summary: "Move an experiment on",
      description:
        "draft → active or archived, active → paused or completed, paused → active or completed, completed → archived. Activation asks for everything that validation does; when one kind of error alone stands in the way, its code is the refusal's.",
      answer: "Experiment",
      refusals: [
        "invalid_status_transition",
        "experiment_completed",
        "experiment_validation_failed",
        ...lone,
        "experiment_not_found",
      ],
    },
    validate_experiment: {
      summary: "Validate an experiment",
      description: `\`errors\` keep the experiment from running; a draft is checked as if it were to be activated. \`warnings\` do not, and \`is_valid\` ignores them: they name what is probably a mistake, such as a flow without pages. A config that takes more than ${maxStampedConfigCharacters} characters as base64url JSON is not sent to the login page: the gate then sends the ids of experiment and variation only, for all variations alike. Changes nothing.`,
      answer: "Validation",
      refusals: ["experiment_not_found"],
    },
    advance_experiment_ramp: {
      summary: "Go up one ramp level",
      description:
        "More subjects take part; nobody who does already leaves. `target_level` is the next of `levels`; the current one once more changes nothing.",
      answer: "Experiment",
      refusals: ["invalid_ramp_level", "experiment_not_found"],
    },
  },
};
