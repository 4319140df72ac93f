/** What is answered of an experiment beside what the control plane knows: what the ledger, the log and the cohorts tell. */
import { gatherDiagnosis, gatherReport, type Question, type Sources } from "../../diagnosis/gather.ts";
import { sourcesOf } from "../../diagnosis/sources.ts";
import type { AnalysisQuery } from "../../model/analysis-query.ts";
import type { ExperimentRecord } from "../../model/experiment-record.ts";
import type { Step } from "./step.ts";

function evidenceStep(answer: (question: Question, sources: Sources) => Promise<object>): Step {
  return {
    // What cannot be reached is named in the answer: nothing but a bug rejects.
    unavailable: "internal_error",
    async run({ tenant, bindings, answer: record, query }) {
      const experiment = record as ExperimentRecord;
      const question = {
        record: experiment,
        window: query as AnalysisQuery,
        thresholds: tenant.diagnosis,
        nowMs: Date.now(),
      };
      return { json: await answer(question, sourcesOf(bindings, tenant.id, experiment.experiment.id)) };
    },
  };
}

export const reportExperiment = evidenceStep(gatherReport);
export const diagnoseExperiment = evidenceStep(gatherDiagnosis);
