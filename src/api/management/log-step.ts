/** What the tenant's logbook does for an operation. */
import { type LogbookObject, logbookOf } from "../../logs/record.ts";
import type { Step, StepAnswer, StepCall } from "./step.ts";

export interface LogCall extends StepCall {
  logbook: LogbookObject;
}

export function logStep(run: (call: LogCall) => Promise<StepAnswer>): Step {
  return {
    unavailable: "logs_unavailable",
    run: (call) => run({ ...call, logbook: logbookOf(call.bindings, call.tenant.id) }),
  };
}
