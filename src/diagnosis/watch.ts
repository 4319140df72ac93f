/** Looks at every active experiment each hour, so that a mismatch is told although nobody opens its report. */
import { within } from "../alarms/deadline.ts";
import type { Control, ControlAnswer } from "../control/control.ts";
import { tenantSettingsOf } from "../control/tenant-settings.ts";
import type { ExperimentRecord } from "../model/experiment-record.ts";
import type { LogEntry, QueueMessage } from "../model/log-entry.ts";
import type { Tenant } from "../model/tenant.ts";
import { pValue } from "./check.ts";
import { gatherReport, type ReportAnswer, type Sources } from "./gather.ts";

const controlMs = 5_000;
/** Nobody's token: it is known to nobody, and may read. */
const watcher = { actor: { name: "watch", scopes: ["read:experimentation" as const] } };
const mostActive = 50;

export interface WatchOptions {
  tenant: Tenant;
  control: Pick<Control, "execute">;
  sourcesOf(experimentId: string): Sources;
  queue: Pick<Queue, "send">;
  now: () => number;
}

/** One experiment that cannot be looked at keeps no other from it. @throws where the control plane cannot be reached */
export async function watchExperiments({ tenant, control, sourcesOf, queue, now }: WatchOptions): Promise<void> {
  const ask = async (command: "get_experiments" | "get_experiment_report", input: object): Promise<unknown> => {
    const execution = control.execute({
      tenant: tenantSettingsOf(tenant),
      credential: watcher,
      scope: "read:experimentation",
      command,
      input: { params: {}, query: {}, body: undefined, ...input },
      correlationId: crypto.randomUUID(),
      hostname: "",
    });
    const answer = await within(controlMs, execution as Promise<ControlAnswer>);
    if (!answer.ok) throw new Error(`${command}: ${answer.message}`);
    return JSON.parse(answer.json ?? "null");
  };

  async function look(id: string): Promise<void> {
    const record = (await ask("get_experiment_report", { params: { id } })) as ExperimentRecord;
    const question = { record, window: {}, thresholds: tenant.diagnosis, nowMs: now() };
    const report = await gatherReport(question, sourcesOf(id));
    if (!report.srm.sequential.is_alert) return;
    const entry = alertOf(record, report, tenant.id);
    // It must be seen although the queue be down.
    console.warn(JSON.stringify(entry));
    await queue.send({ kind: "log", entry } satisfies QueueMessage);
  }

  if (!tenant.entitled) return;
  const { experiments } = (await ask("get_experiments", { query: { status: "active", take: mostActive } })) as {
    experiments: readonly { id: string }[];
  };
  const looks = await Promise.allSettled(experiments.map(({ id }) => look(id)));
  for (const [at, result] of looks.entries()) {
    if (result.status === "fulfilled") continue;
    const { id } = experiments[at] ?? {};
    const line = { message: "an experiment could not be looked at", experiment_id: id, reason: String(result.reason) };
    console.error(JSON.stringify(line));
  }
}

/** Under one id for the experiment: the log keeps it once, however often it is told. */
function alertOf({ experiment }: ExperimentRecord, { srm, as_of }: ReportAnswer, tenant: string): LogEntry {
  const { sequential, units } = srm;
  return {
    log_id: `srm-${experiment.id}`,
    date: as_of,
    type: "w",
    description: `Sample ratio mismatch in experiment "${experiment.name}" (${experiment.id}): sequential p ${pValue(sequential.p)} at ${units} units. GET /experiments/${experiment.id}/diagnosis says why.`,
    tenant_name: tenant,
    hostname: "",
    details: { code: "experiment_sample_ratio_mismatch" },
  };
}
