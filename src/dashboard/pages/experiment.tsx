/** One experiment: what it does, whether it may, and what became of it. */
import type { ChangeView } from "../../model/change.ts";
import type { ValidationWarning } from "../../model/check/warn-experiment.ts";
import { currentLevel, nextLevel } from "../../model/experiment.ts";
import { followers } from "../../model/experiment-status.ts";
import type { PresentedExperiment, ValidationError } from "../../model/present-experiment.ts";
import { pageAt } from "../address.ts";
import { readDiagnosis, readReport } from "../evidence.ts";
import { deletePage } from "../forms/confirm-page.tsx";
import { allocationNames, flagNames } from "../lookups.ts";
import { AllocationBar, nameIn } from "../parts/allocation.tsx";
import { Facts } from "../parts/facts.tsx";
import { Done, Head, listsUnder } from "../parts/head.tsx";
import { Moment } from "../parts/reader.tsx";
import { Status } from "../parts/status.tsx";
import type { Handler, Visit } from "../visit.ts";
import { ChangeItem } from "./changes.tsx";
import { DiagnosisSection } from "./diagnosis.tsx";
import { readExperiment } from "./experiment-form.tsx";
import { Results } from "./results.tsx";
import { Checklist } from "./validation.tsx";

const under = [listsUnder.experiments];

const steps = {
  active: ["Activate", "Resume"],
  paused: ["Pause", "Pause"],
  completed: ["Complete", "Complete"],
  archived: ["Archive", "Archive"],
} as const;

export const validate = ({ api }: Visit, id: string) =>
  api.send<{ is_valid: boolean; errors: ValidationError[]; warnings?: ValidationWarning[] }>(
    "POST",
    `/experiments/${id}/validate`,
  );

export const experiment: Handler = async (visit) => {
  const found = await readExperiment(visit);
  const { id, name, description, feature_flag_id, status } = found;
  const isOpen = status !== "completed" && status !== "archived";
  const hasRun = status !== "draft" && found.started_at !== undefined;
  const [flags, names, { changes }, validation, report, diagnosis] = await Promise.all([
    flagNames(visit.api, [found]),
    allocationNames(visit.api, [found]),
    visit.api.get<{ changes: ChangeView[] }>(`/changes?resource_id=${id}&take=10`),
    isOpen ? validate(visit, id) : null,
    hasRun ? readReport(visit.api, id) : null,
    hasRun ? readDiagnosis(visit.api, id) : null,
  ]);
  const { errors, warnings = [] } = validation?.ok ? validation.body : { errors: [] };
  const body = (
    <>
      <Head title={name} under={under}>
        <p>
          <Status of={status} /> on <a href={pageAt`/flags/${feature_flag_id}`}>{nameIn(flags, feature_flag_id)}</a>
        </p>
        {description && <p class="lead">{description}</p>}
        <Actions experiment={found} visit={visit} isReady={errors.length === 0} />
      </Head>
      <Done url={visit.url} />
      {isOpen && errors.length > 0 && (
        <section aria-labelledby="ready">
          <h2 id="ready">{status === "active" ? "No longer valid" : "Before it can be active"}</h2>
          <Checklist errors={errors} experiment={found} />
        </section>
      )}
      {isOpen && warnings.length > 0 && (
        <section aria-labelledby="warnings">
          <h2 id="warnings">Warnings</h2>
          <Checklist warnings={warnings} experiment={found} />
        </section>
      )}
      <section aria-labelledby="allocation">
        <h2 id="allocation">Who gets what</h2>
        <AllocationBar experiment={found} names={names} />
        <Ramp experiment={found} visit={visit} />
      </section>
      {report && <Results report={report} changes={changes} nowMs={visit.nowMs} />}
      {diagnosis && <DiagnosisSection diagnosis={diagnosis} />}
      <section aria-labelledby="facts">
        <h2 id="facts">Set-up</h2>
        <SetUp of={found} />
      </section>
      <section aria-labelledby="changes">
        <h2 id="changes">Changes</h2>
        <ul class="lines changes">
          {changes.map((change) => (
            <ChangeItem change={change} />
          ))}
        </ul>
        <p>
          <a href={`${pageAt`/changes`}?resource_id=${id}`}>All of them</a>
        </p>
      </section>
    </>
  );
  return { title: name, body, plots: report?.ok === true && report.body.hours.length > 0 };
};

interface ExperimentProps {
  experiment: PresentedExperiment;
  visit: Visit;
}

function Actions({ experiment: { id, status }, visit, isReady }: ExperimentProps & { isReady: boolean }) {
  const page = pageAt`/experiments/${id}`;
  return (
    <p class="actions">
      {visit.may("update") &&
        followers[status].map((to) => (
          <a class={to === "active" && isReady ? "button primary" : "button"} href={`${page}/status?to=${to}`}>
            {steps[to][status === "paused" ? 1 : 0]}
          </a>
        ))}
      <a class="button" href={`${pageAt`/qa`}?experiment=${id}`}>
        Try it out
      </a>
      {visit.may("update") && <a href={`${page}/edit`}>Edit</a>}
      {visit.may("delete") && status !== "active" && <a href={`${page}/delete`}>Delete</a>}
    </p>
  );
}

function Ramp({ experiment, visit }: ExperimentProps) {
  const { id, levels = [], status } = experiment;
  if (levels.length === 0) return null;
  const current = currentLevel(experiment);
  const next = nextLevel(experiment);
  const isMoving = status === "active" || status === "paused";
  return (
    <p class="ramp">
      Ramp:{" "}
      {levels.map((level, place) => (
        <>
          {place > 0 && <span aria-hidden="true"> → </span>}
          {level === current ? <strong aria-current="step">{level}%</strong> : <span class="quiet">{level}%</span>}
        </>
      ))}{" "}
      {isMoving && next !== undefined && visit.may("update") && (
        <a class="button" href={`${pageAt`/experiments/${id}`}/ramp`}>
          Go up to {next}%
        </a>
      )}
    </p>
  );
}

function SetUp({ of }: { of: PresentedExperiment }) {
  const { id, authentication_flow, assignment_config, bucketing_salt, is_stateful, epoch, started_at, ended_at } = of;
  return (
    <Facts
      of={[
        ["Flow", authentication_flow.replaceAll("_", " ")],
        ["Told apart", `${assignment_config.subject}s`],
        ["Sticky", is_stateful ? "yes" : undefined],
        ["Salt", bucketing_salt === undefined ? undefined : <code>{bucketing_salt}</code>],
        ["Epoch", epoch],
        ["Started", started_at && <Moment at={started_at} />],
        ["Ended", ended_at && <Moment at={ended_at} />],
        ["Id", <code>{id}</code>],
        ["Last changed", <Moment at={of.updated_at} />],
      ]}
    />
  );
}

export const deleteExperiment: Handler = async (visit) => {
  const { id, name } = await readExperiment(visit);
  return deletePage(visit, {
    what: "the experiment",
    name,
    under,
    path: `/experiments/${id}`,
    page: pageAt`/experiments/${id}`,
    list: listsUnder.experiments[0],
    consequence: "It is gone for good, and its allocations with it. To keep what it found, archive it instead.",
  });
};
