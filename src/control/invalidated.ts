/** Active experiments that a change has made invalid: a warning each, since nobody is assigned to them any more. */
import { checkExperiment } from "../model/check-experiment.ts";
import type { LogEntry } from "../model/log-entry.ts";
import type { Resources } from "../model/resources.ts";
import type { TenantSettings } from "./command.ts";

export function warningsAbout(
  before: Resources,
  after: Resources,
  { tenant, at, hostname }: { tenant: TenantSettings; at: string; hostname: string },
): LogEntry[] {
  const { activeLimit } = tenant;
  return after.experiments.flatMap((experiment): LogEntry[] => {
    if (experiment.status !== "active") return [];
    const problems = checkExperiment(experiment, after, { activeLimit });
    if (problems.length === 0) return [];
    const earlier = before.experiments.find(({ id }) => id === experiment.id);
    if (earlier?.status !== "active" || checkExperiment(earlier, before, { activeLimit }).length > 0) return [];
    const reasons = problems.map(({ code, message }) => `${code}: ${message}`).join("; ");
    return [
      {
        log_id: crypto.randomUUID(),
        date: at,
        type: "w",
        description: `Experiment "${experiment.name}" (${experiment.id}) is active but no longer valid: ${reasons}`,
        tenant_name: tenant.id,
        hostname,
        details: { code: "experiment_invalidated" },
      },
    ];
  });
}
