/** What runs now, and whether all that it stands on is well. */
import type { ChangeView } from "../../model/change.ts";
import type { CohortStatus, CohortView } from "../../model/cohort.ts";
import { currentLevel } from "../../model/experiment.ts";
import type { LogEntryView } from "../../model/log-entry.ts";
import type { PresentedExperiment } from "../../model/present-experiment.ts";
import { pageAt } from "../address.ts";
import type { Outcome } from "../api.ts";
import { type Report, readReport } from "../evidence.ts";
import { allocationNames, flagNames } from "../lookups.ts";
import { AllocationBar, type Names, nameIn } from "../parts/allocation.tsx";
import { ChangeLine } from "../parts/change-line.tsx";
import { Count, counted, durationText, Moment, numberText, Percent, reading } from "../parts/reader.tsx";
import { Status } from "../parts/status.tsx";
import type { Page, Visit } from "../visit.ts";
import { SplitVerdict } from "./results.tsx";

interface Publication {
  version: number;
  committed_at: string | null;
  published: { version: number; at: string; bytes: number } | null;
  pending: { version: number; since: string; attempts: number; last_error: string | null } | null;
}

/** Each is asked of the ledger; whoever runs more at a time looks at them one by one. */
const mostReports = 4;

type CohortItem = CohortView & { status: CohortStatus | null };

export async function overview(visit: Visit): Promise<Page> {
  const { api } = visit;
  const [{ experiments }, publication, { cohorts }, { changes }, warnings] = await Promise.all([
    api.get<{ experiments: PresentedExperiment[] }>("/experiments?status=active&take=20"),
    api.get<Publication>("/snapshot?include_snapshot=false"),
    api.get<{ cohorts: CohortItem[] }>("/cohorts?take=50"),
    api.get<{ changes: ChangeView[] }>("/changes?take=6"),
    api.send<LogEntryView[]>("GET", "/logs?q=type:w&per_page=5"),
  ]);
  const [flags, names, reports] = await Promise.all([
    flagNames(api, experiments),
    allocationNames(api, experiments),
    Promise.all(experiments.slice(0, mostReports).map(({ id }) => readReport(api, id))),
  ]);
  const body = (
    <>
      <h1>Overview</h1>
      <section aria-labelledby="running">
        <h2 id="running">Running now</h2>
        {experiments.map((experiment, place) => (
          <Running experiment={experiment} flags={flags} names={names} report={reports[place]} />
        ))}
        {experiments.length === 0 && <NothingRuns visit={visit} isEmpty={publication.version === 0} />}
      </section>
      <div class="columns">
        <section aria-labelledby="published">
          <h2 id="published">Published</h2>
          <Published {...publication} />
        </section>
        <section aria-labelledby="edge">
          <h2 id="edge">At the edge</h2>
          <Edge visit={visit} />
        </section>
      </div>
      <Cohorts cohorts={cohorts} nowMs={visit.nowMs} />
      <Warnings of={warnings} />
      <section aria-labelledby="changed">
        <h2 id="changed">Changed lately</h2>
        {changes.length === 0 ? (
          <p class="quiet">Nothing was ever changed here.</p>
        ) : (
          <>
            <ul class="lines">
              {changes.map((change) => (
                <ChangeLine change={change} />
              ))}
            </ul>
            <p>
              <a href={pageAt`/changes`}>All changes</a>
            </p>
          </>
        )}
      </section>
    </>
  );
  return { title: "Overview", body };
}

interface RunningProps {
  experiment: PresentedExperiment;
  flags: Names;
  names: Names;
  report: Outcome<Report> | undefined;
}

function Running({ experiment, flags, names, report }: RunningProps) {
  const { id, name, feature_flag_id, levels = [], started_at, is_valid } = experiment;
  return (
    <article class="running">
      <h3>
        <a href={pageAt`/experiments/${id}`}>{name}</a>
      </h3>
      <p class="quiet">
        <Status of="active" /> on <a href={pageAt`/flags/${feature_flag_id}`}>{nameIn(flags, feature_flag_id)}</a>
        {started_at && (
          <>
            {" "}
            since <Moment at={started_at} />
          </>
        )}
        {levels.length > 0 && (
          <>
            , ramped to <Percent of={currentLevel(experiment) / 100} /> of{" "}
            {levels.map((level) => `${level}%`).join(", ")}
          </>
        )}
        {!is_valid && (
          <>
            {" "}
            · <Status of="invalid" words="no longer valid: see what is wrong" />
          </>
        )}
      </p>
      <AllocationBar experiment={experiment} names={names} />
      {report?.ok === false && <p class="quiet">{report.refusal.message}</p>}
      {report?.ok && (
        <>
          <SplitVerdict of={report.body} />
          <p class="quiet">
            {report.body.variations.map(({ name, assignments, logins }, index) => (
              <>
                {index > 0 && " · "}
                {name}: <Count of={assignments} /> assigned, <Count of={logins} /> logged in
              </>
            ))}
          </p>
        </>
      )}
    </article>
  );
}

function NothingRuns({ visit, isEmpty }: { visit: Visit; isEmpty: boolean }) {
  if (!visit.may("create")) return <p>No experiment is active.</p>;
  if (!isEmpty) {
    return (
      <p>
        No experiment is active: <a href={pageAt`/experiments`}>activate one</a>, or{" "}
        <a href={pageAt`/experiments/new`}>make another</a>.
      </p>
    );
  }
  return (
    <>
      <p>Nothing is configured yet. To run the first experiment:</p>
      <ol class="steps">
        <li>
          <a href={pageAt`/flags/new`}>Make a feature flag</a>: the parameters that a page is to read.
        </li>
        <li>Give it two variations or more: what differs for whom. The first may differ in nothing.</li>
        <li>Activate the flag.</li>
        <li>Make an experiment on it: who gets which variation.</li>
        <li>Try each variation out by its link, then activate the experiment.</li>
      </ol>
      <p>
        Or <a href={pageAt`/transfer`}>import a file</a>.
      </p>
    </>
  );
}

function Published({ version, committed_at, published, pending }: Publication) {
  if (version === 0) return <p class="quiet">Nothing yet: the first change will be version 1.</p>;
  return (
    <dl class="facts">
      <dt>Version</dt>
      <dd>
        <Count of={version} /> {pending === null ? <Status of="ok" words="published" /> : <Status of="pending" />}
      </dd>
      <dt>Committed</dt>
      <dd>{committed_at && <Moment at={committed_at} />}</dd>
      <dt>In KV</dt>
      <dd>
        {published === null ? (
          "nothing yet"
        ) : (
          <>
            version <Count of={published.version} />, <Moment at={published.at} />, <Size bytes={published.bytes} />
          </>
        )}
      </dd>
      {pending?.last_error && (
        <>
          <dt>Trouble</dt>
          <dd>
            <Status of="failing" words={pending.last_error} />, tried {counted(reading(), pending.attempts, "time")}{" "}
            since <Moment at={pending.since} />
          </dd>
        </>
      )}
    </dl>
  );
}

function Warnings({ of }: { of: Outcome<LogEntryView[]> }) {
  return (
    <section aria-labelledby="warnings">
      <h2 id="warnings">Warnings lately</h2>
      {!of.ok && <p>{of.refusal.message}</p>}
      {of.ok && of.body.length === 0 && <p class="quiet">None in 30 days.</p>}
      {of.ok && of.body.length > 0 && (
        <>
          <ul class="lines">
            {of.body.map(({ log_id, date, description, details }) => (
              <li>
                <Status of="warn" words="" />
                <a href={pageAt`/log/${log_id}`}>
                  <Moment at={date} />
                </a>{" "}
                <code>{details.code}</code> {description}
              </li>
            ))}
          </ul>
          <p>
            <a href={`${pageAt`/log`}?q=type:w`}>All warnings</a>
          </p>
        </>
      )}
    </section>
  );
}

function Size({ bytes }: { bytes: number }) {
  const text = numberText(reading(), Math.max(0.1, bytes / 1024), 1);
  return <span class="number">{text} KiB</span>;
}

const dependencies: Readonly<Record<string, string>> = {
  kv: "KV",
  cache: "Cache",
  queue: "Queue",
  crypto: "Cryptography",
  jwks: "Issuers’ keys",
};

/** Of the isolate that answers: others may know better, or worse. */
function Edge({ visit: { health, caller } }: { visit: Visit }) {
  const held = health?.snapshots[caller.tenant];
  return (
    <dl class="facts">
      {Object.entries(health?.circuits ?? {}).map(([dependency, state]) => (
        <>
          <dt>{dependencies[dependency] ?? dependency}</dt>
          <dd>
            <Status
              of={state}
              words={state === "closed" ? "well" : state === "open" ? "failing: its circuit is open" : state}
            />
          </dd>
        </>
      ))}
      <dt>In memory</dt>
      <dd>
        {held === undefined || held.version === null ? (
          <span class="quiet">nothing: this isolate has served no page yet</span>
        ) : (
          <>
            version <Count of={held.version} />, read {durationText(held.age_seconds)} ago
          </>
        )}
      </dd>
    </dl>
  );
}

function Cohorts({ cohorts, nowMs }: { cohorts: readonly CohortItem[]; nowMs: number }) {
  if (cohorts.length === 0) return null;
  const isWell = ({ status }: CohortItem) => ["ok", "unchanged"].includes(status?.state ?? "");
  const worstFirst = [...cohorts].sort((a, b) => Number(isWell(a)) - Number(isWell(b)));
  return (
    <section aria-labelledby="cohorts">
      <h2 id="cohorts">Cohorts</h2>
      <ul class="lines">
        {worstFirst.slice(0, 6).map(({ id, name, status }) => (
          <li>
            <Status of={status?.state ?? "unknown"} /> <a href={pageAt`/cohorts/${id}`}>{name}</a>
            {status && (
              <span class="quiet">
                {" "}
                {counted(reading(), status.size, "member")}
                {status.refreshed_at &&
                  `, confirmed ${durationText((nowMs - Date.parse(status.refreshed_at)) / 1000)} ago`}
              </span>
            )}
            {status?.error && <span class="quiet">: {status.error}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
