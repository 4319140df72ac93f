/** Active experiments that a change has made invalid: a warning each, once, since nobody is newly assigned to them. */
import { checkExperiment } from "../model/check/check-experiment.ts";
import type { LogEntry } from "../model/log-entry.ts";
import { byId, type Resources } from "../model/resources.ts";

interface State {
  resources: Resources;
  /** Unknown before the first commit. */
  activeLimit: number | undefined;
  verifiesUsers?: boolean;
}

/** Several entries travel in a batch of bounded size (`log-outbox.ts`), whatever names and reasons they hold. */
const longestDescription = 1_500;

/** Whatever the cause: only what holds before and after is compared. */
export function warningsAbout(
  { before, after }: { before: State; after: State },
  { tenant, at, hostname }: { tenant: string; at: string; hostname: string },
): LogEntry[] {
  return after.resources.experiments.flatMap((experiment): LogEntry[] => {
    const problems = experiment.status === "active" ? problemsOf(experiment.id, after) : [];
    if (problems.length === 0) return [];
    const earlier = byId(before.resources.experiments, experiment.id);
    if (earlier?.status !== "active" || problemsOf(earlier.id, before).length > 0) return [];
    const reasons = problems.map(({ code, message }) => `${code}: ${message}`).join("; ");
    const description = `Experiment "${experiment.name}" (${experiment.id}) is active but no longer valid: ${reasons}`;
    return [
      {
        log_id: crypto.randomUUID(),
        date: at,
        type: "w",
        description: description.slice(0, longestDescription),
        tenant_name: tenant,
        hostname,
        details: { code: "experiment_invalidated" },
      },
    ];
  });
}

function problemsOf(
  id: string,
  { resources, activeLimit, verifiesUsers = true }: State,
): ReturnType<typeof checkExperiment> {
  const experiment = byId(resources.experiments, id);
  return experiment === undefined
    ? []
    : checkExperiment(experiment, resources, { verifiesUsers, ...(activeLimit === undefined ? {} : { activeLimit }) });
}
