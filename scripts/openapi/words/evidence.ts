import type { Topic } from "../operation-words.ts";

const window =
  "`from` and `to` look at units seen in that time only; without them it is the whole time, from the first assignment on. What cannot be reached is named in `partial`, and the rest is answered all the same.";

export const evidence: Topic = {
  name: "Reports",
  description: "What an experiment has come to, and what is wrong with it.",
  operations: {
    get_experiment_report: {
      summary: "Report on an experiment",
      description: `What the ledger has counted, by variation: distinct units, of those assigned by hash. Rates are of the assigned, with intervals that hold at all looks together (95%), and so are differences to the control: the report may be looked at any time, and stopping at what it says is no fault. \`srm\` tests whether units are split as the weights say, each epoch against its own. ${window}`,
      answer: "ExperimentReport",
      refusals: ["experiment_not_found"],
    },
    get_experiment_diagnosis: {
      summary: "Diagnose an experiment",
      description: `Why there is no traffic, whether it is set up right, and why its units are not split as they should be: each check with its counts, the thresholds it went by, and what to do. \`leading\` names the one to begin with. A check whose finding another one accounts for warns and says which. A tenant that is not entitled is answered as well. Thresholds are the tenant's \`diagnosis\` in its settings. ${window}`,
      answer: "ExperimentDiagnosis",
      refusals: ["experiment_not_found"],
    },
  },
};
