import type { experimentRecordCommands } from "../../../control/commands/experiment-record.ts";
import { analysisQuerySchema } from "../../../model/analysis-query.ts";
import { diagnoseExperiment, reportExperiment } from "../experiment-evidence.ts";
import type { OperationsOf } from "../operation.ts";

export const experimentEvidenceOperations: OperationsOf<typeof experimentRecordCommands> = {
  get_experiment_report: {
    method: "GET",
    path: "/experiments/:id/report",
    scope: "read:experimentation",
    query: analysisQuerySchema,
    step: reportExperiment,
    success: 200,
  },
  get_experiment_diagnosis: {
    method: "GET",
    path: "/experiments/:id/diagnosis",
    scope: "read:experimentation",
    query: analysisQuerySchema,
    step: diagnoseExperiment,
    success: 200,
  },
};
