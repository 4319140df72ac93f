/** The tenant's log: what became of log-ins, and warnings. It is read anew while one looks on, where a script may. */
import type { Experiment } from "../../model/experiment.ts";
import type { LogEntryView } from "../../model/log-entry.ts";
import { pageAt } from "../address.ts";
import { type Errors, errorsOf, noErrors } from "../forms/errors.ts";
import type { Field } from "../forms/field.ts";
import { Fields } from "../forms/fields.tsx";
import { type Names, nameIn } from "../parts/allocation.tsx";
import { Head } from "../parts/head.tsx";
import { Table } from "../parts/list.tsx";
import { Moment } from "../parts/reader.tsx";
import { Search } from "../parts/search.tsx";
import { Icon, type Shape } from "../parts/status.tsx";
import type { Handler, Visit } from "../visit.ts";

const perPage = 50;
const liveSeconds = 3;

const kinds: Readonly<Record<LogEntryView["type"], readonly [Shape, string]>> = {
  s: ["done", "log-in"],
  ss: ["done", "sign-up"],
  f: ["fail", "failed log-in"],
  fs: ["fail", "failed sign-up"],
  w: ["warn", "warning"],
};

const question: Field = {
  kind: "text",
  name: "q",
  label: "Search",
  hint: "Such as type:(f OR fs), details.code:experiment_circuit_open, ip:203.0.113.*, date:[2030-01-01 TO *].",
};

const ready: readonly (readonly [string, string])[] = [
  ["Everything", ""],
  ["Warnings", "type:w"],
  ["Failures", "type:(f OR fs)"],
  ["In an experiment", "_exists_:details.experiment"],
];

export const log: Handler = async (visit) => {
  const { searchParams } = visit.url;
  const q = searchParams.get("q") ?? "";
  const page = Math.max(0, Number.parseInt(searchParams.get("page") ?? "0", 10) || 0);
  const query = new URLSearchParams({ ...(q && { q }), page: String(page), per_page: String(perPage) });
  const outcome = await visit.api.send<LogEntryView[]>("GET", `/logs?${query}`);
  const errors: Errors = outcome.ok ? noErrors : errorsOf(outcome.refusal, ["q"], []);
  const entries = outcome.ok ? outcome.body : [];
  const names = await experimentNames(visit, entries);
  const to = (other: Record<string, string>) => `${pageAt`/log`}?${new URLSearchParams(other)}`;
  const body = (
    <>
      <Head title="Log">
        <p class="lead quiet">What became of log-ins, each with its experiment, and warnings; of the last 30 days.</p>
      </Head>
      <Search label="Log">
        <Fields fields={[question]} values={searchParams} errors={errors} />
        <button type="submit">Search</button>
        <ul class="legend">
          {ready.map(([words, asked]) => (
            <li>
              <a href={to({ q: asked })} aria-current={asked === q ? "true" : undefined}>
                {words}
              </a>
            </li>
          ))}
        </ul>
      </Search>
      {errors.rest.map((message) => (
        <p class="error" role="alert">
          {message}
        </p>
      ))}
      {page === 0 && outcome.ok && (
        <p class="choice scripted">
          <input type="checkbox" id="hold" data-live-off />
          <label for="hold">Hold it: show nothing new while I read</label>
        </p>
      )}
      <div id="entries" {...(page === 0 && outcome.ok ? { "data-live": String(liveSeconds) } : {})}>
        {outcome.ok && <Entries entries={entries} names={names} isSearch={q !== ""} />}
      </div>
      <nav class="actions" aria-label="Pages of the log">
        {page > 0 && <a href={to({ q, page: String(page - 1) })}>Newer</a>}
        {entries.length === perPage && <a href={to({ q, page: String(page + 1) })}>Older</a>}
      </nav>
    </>
  );
  return { title: "Log", body, status: outcome.ok ? 200 : outcome.refusal.status };
};

export function Kind({ of }: { of: LogEntryView["type"] }) {
  const [shape, words] = kinds[of];
  return (
    <span class="status">
      <Icon shape={shape} /> {words}
    </span>
  );
}

async function experimentNames({ api }: Visit, entries: readonly LogEntryView[]): Promise<Names> {
  const ids = [...new Set(entries.flatMap(({ details }) => details.experiment?.id ?? []))];
  const found = await Promise.all(ids.map((id) => api.find<Experiment>(`/experiments/${encodeURIComponent(id)}`)));
  return new Map(found.flatMap((one) => (one === null ? [] : [[one.id, one.name]])));
}

interface EntriesProps {
  entries: readonly LogEntryView[];
  names: Names;
  isSearch: boolean;
}

function Entries({ entries, names, isSearch }: EntriesProps) {
  if (entries.length === 0) {
    return (
      <p>
        {isSearch
          ? "No entry of the last 30 days matches. Search for less, or look at everything."
          : "Nothing yet: an entry comes with each log-in that ends behind the gate, some seconds later."}
      </p>
    );
  }
  return (
    <Table
      label="Entries"
      items={entries}
      columns={[
        {
          head: "When",
          cell: ({ log_id, date }) => (
            <a href={pageAt`/log/${log_id}`}>
              <Moment at={date} seconds />
            </a>
          ),
        },
        { head: "What", cell: ({ type }) => <Kind of={type} /> },
        {
          head: "Details",
          isLong: true,
          cell: ({ description, details }) => (
            <>
              {details.code && <code>{details.code} </code>}
              {description}
              {details.pass_through && <span class="quiet"> without a page</span>}
            </>
          ),
        },
        {
          head: "Experiment",
          isLong: true,
          cell: ({ details: { experiment } }) =>
            experiment && (
              <>
                <a href={pageAt`/experiments/${experiment.id}`}>{nameIn(names, experiment.id)}</a>{" "}
                <span class="quiet">
                  {experiment.variation_id} ({experiment.method})
                </span>
              </>
            ),
        },
        { head: "From", cell: ({ hostname, ip }) => [hostname, ip].filter(Boolean).join(" · ") },
      ]}
    />
  );
}

export const logEntry: Handler = async (visit) => {
  const entry = await visit.api.get<LogEntryView>(`/logs/${encodeURIComponent(visit.params.id ?? "")}`);
  const body = (
    <>
      <Head title={entry.description || "Entry"} under={[[pageAt`/log`, "Log"]]}>
        <p>
          <Kind of={entry.type} /> · <Moment at={entry.date} seconds />
        </p>
      </Head>
      <pre>{JSON.stringify(entry, null, 2)}</pre>
    </>
  );
  return { title: entry.description, body };
};
