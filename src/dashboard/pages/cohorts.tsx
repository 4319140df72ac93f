/** Cohorts: lists of ids, fetched or pushed. */

import type { CohortStatus, CohortView } from "../../model/cohort.ts";
import { pageAt } from "../address.ts";
import { confirmPage, deletePage } from "../forms/confirm-page.tsx";
import { errorsOf, noErrors } from "../forms/errors.ts";
import { Faults, FormKey } from "../forms/form.tsx";
import { Facts } from "../parts/facts.tsx";
import { Done, Head, listsUnder } from "../parts/head.tsx";
import { listQuery, More, Table } from "../parts/list.tsx";
import { Count, counted, Moment, reading } from "../parts/reader.tsx";
import { Search } from "../parts/search.tsx";
import { Status } from "../parts/status.tsx";
import type { Handler, Visit } from "../visit.ts";

export type CohortItem = CohortView & { status: CohortStatus | null };

const [list] = listsUnder.cohorts;
export const under = [listsUnder.cohorts];

export const cohorts: Handler = async (visit) => {
  const page = await visit.api.get<{ cohorts: CohortItem[]; next?: string }>(`/cohorts${listQuery(visit)}`);
  const body = (
    <>
      <Head title="Cohorts">
        <p class="lead quiet">Lists of users or devices that are kept elsewhere and fetched, or pushed here.</p>
        {visit.may("create") && (
          <p class="actions">
            <a class="button primary" href={pageAt`/cohorts/new`}>
              New cohort
            </a>
          </p>
        )}
      </Head>
      <Done url={visit.url} />
      {page.cohorts.length === 0 ? (
        <p>None yet. Make one where who gets what depends on a list that you keep, such as beta testers.</p>
      ) : (
        <Table
          label="Cohorts"
          items={page.cohorts}
          columns={[
            { head: "Name", cell: ({ id, name }) => <a href={pageAt`/cohorts/${id}`}>{name}</a> },
            { head: "State", cell: ({ status }) => <Status of={status?.state ?? "unknown"} /> },
            { head: "Members", cell: ({ status }) => (status ? <Count of={status.size} /> : "?"), isNumber: true },
            { head: "Ids of", cell: ({ id_type }) => `${id_type}s` },
            { head: "From", cell: ({ source }) => (source.type === "url" ? new URL(source.url).host : "pushed") },
            {
              head: "Confirmed",
              cell: ({ status }) => (status?.refreshed_at ? <Moment at={status.refreshed_at} /> : "never"),
            },
          ]}
        />
      )}
      <More visit={visit} next={page.next} />
    </>
  );
  return { title: "Cohorts", body };
};

export const readCohort = (visit: Visit) =>
  visit.api.get<CohortItem>(`/cohorts/${encodeURIComponent(visit.params.id ?? "")}`);

interface Found {
  id: string;
  is_member: boolean;
  as_of: string | null;
}

export const cohort: Handler = async (visit) => {
  const found = await readCohort(visit);
  const { id, name, description, source, status } = found;
  const member = visit.url.searchParams.get("member")?.trim();
  const membership = member
    ? await visit.api.get<Found>(`/cohorts/${id}/members/${encodeURIComponent(member)}`)
    : undefined;
  const isFetched = source.type === "url";
  const body = (
    <>
      <Head title={name} under={under}>
        {description && <p class="lead">{description}</p>}
        <p class="actions">
          {visit.may("update") && isFetched && <a href={pageAt`/cohorts/${id}/refresh`}>Refresh now</a>}
          {visit.may("update") && !isFetched && <a href={pageAt`/cohorts/${id}/members`}>Push members</a>}
          {visit.may("update") && <a href={pageAt`/cohorts/${id}/edit`}>Edit</a>}
          {visit.may("delete") && <a href={pageAt`/cohorts/${id}/delete`}>Delete</a>}
        </p>
      </Head>
      <Done url={visit.url} />
      <section>
        <h2>Members</h2>
        <div id="cohort-state" data-live="5">
          {status === null ? <p>Its state cannot be told now; try again.</p> : <State status={status} />}
        </div>
        <Search label="Members">
          <div class="field">
            <label for="member">Is this {found.id_type} in it?</label>
            <input id="member" name="member" value={member ?? ""} autocomplete="off" />
          </div>
          <button type="submit">Look</button>
        </Search>
        {membership && (
          <p role="status">
            <code>{membership.id}</code> is <strong>{membership.is_member ? "a member" : "no member"}</strong>
            {membership.as_of && (
              <>
                {" "}
                as of <Moment at={membership.as_of} />
              </>
            )}
            .
          </p>
        )}
      </section>
      <section>
        <h2>Source</h2>
        <Source of={found} />
      </section>
    </>
  );
  return { title: name, body };
};

function State({ status }: { status: CohortStatus }) {
  const { state, size, refreshed_at, last_attempt_at, added, removed, skipped, error, failures, next_attempt_at } =
    status;
  return (
    <Facts
      of={[
        ["State", <Status of={state} />],
        ["Members", <Count of={size} />],
        ["Confirmed", refreshed_at ? <Moment at={refreshed_at} /> : "never"],
        ["Last tried", last_attempt_at ? <Moment at={last_attempt_at} /> : undefined],
        [
          "Last change",
          added + removed > 0 ? (
            <>
              <Count of={added} /> added, <Count of={removed} /> removed
            </>
          ) : undefined,
        ],
        ["Skipped", skipped > 0 ? `${counted(reading(), skipped, "line")} without a usable id` : undefined],
        [
          "Trouble",
          error ? (
            <>
              {error} ({failures} in a row; the last good members count)
            </>
          ) : undefined,
        ],
        ["Next refresh", next_attempt_at ? <Moment at={next_attempt_at} /> : undefined],
      ]}
    />
  );
}

function Source({ of: { id, id_type, source, has_credentials, refresh_minutes } }: { of: CohortItem }) {
  if (source.type === "push") {
    return (
      <Facts
        of={[
          ["From", "pushed through the API, or here"],
          ["Ids of", `${id_type}s`],
          ["Id", <code>{id}</code>],
        ]}
      />
    );
  }
  return (
    <Facts
      of={[
        ["From", <code>{source.url}</code>],
        ["Format", source.format + (source.field ? `, ids in ${source.field}` : "")],
        ["Credentials", has_credentials ? "sent, and never shown" : "none"],
        ["Every", counted(reading(), refresh_minutes, "minute")],
        ["Ids of", `${id_type}s`],
        ["Id", <code>{id}</code>],
      ]}
    />
  );
}

export const refreshCohort: Handler = async (visit) => {
  const { id, name } = await readCohort(visit);
  const page = pageAt`/cohorts/${id}`;
  return confirmPage(visit, {
    title: `Refresh “${name}” now?`,
    under: [...under, [page, name]],
    lead: <p>Its source is asked at once. Should that fail, the members there are now count on.</p>,
    action: "Refresh it",
    cancel: page,
    send: () => visit.api.send("POST", `/cohorts/${id}/refresh`),
    done: () => ({ to: `${page}?done=refreshed` }),
  });
};

export const deleteCohort: Handler = async (visit) => {
  const { id, name } = await readCohort(visit);
  return deletePage(visit, {
    what: "the cohort",
    name,
    under,
    path: `/cohorts/${id}`,
    page: pageAt`/cohorts/${id}`,
    list,
    consequence: "Its members are forgotten. While a segment or a feature flag names it, it cannot be deleted.",
  });
};

const modes = { add: "POST", remove: "DELETE", replace: "PUT" } as const;

export const pushMembers: Handler = async (visit) => {
  const { id, name, id_type } = await readCohort(visit);
  const page = pageAt`/cohorts/${id}`;
  const { form } = visit;
  const mode = form.get("mode") ?? "add";
  const ids = (form.get("members") ?? "").split(/\r?\n/).flatMap((line) => line.trim() || []);
  const method = modes[mode as keyof typeof modes] ?? "POST";
  const outcome =
    form.size === 0
      ? null
      : await visit.api.upload(method, `/cohorts/${id}/members`, {
          type: "application/json",
          content: JSON.stringify(ids),
        });
  if (outcome?.ok) return { to: `${page}?done=pushed` };
  const errors = outcome === null ? noErrors : errorsOf(outcome.refusal, ["members"], []);
  const words = { add: "Add them", remove: "Take them out", replace: "Let them be all there are" };
  const fault = errors.at.get("members");
  const body = (
    <>
      <Head title={`Push members of “${name}”`} under={[...under, [page, name]]}>
        <p class="quiet">For large lists, send a file to the API: PUT …/cohorts/{id}/members.</p>
      </Head>
      <form method="post" class="edit">
        <FormKey of={visit.session} />
        <Faults errors={errors} />
        <div class="field">
          <label for="f-members">Ids of {id_type}s</label>
          <p class="hint" id="members-hint">
            One a line.
          </p>
          {fault && (
            <p class="error" id="members-error">
              {fault}
            </p>
          )}
          <textarea
            id="f-members"
            name="members"
            class="code"
            rows={8}
            spellcheck={false}
            aria-describedby={fault ? "members-error members-hint" : "members-hint"}
            aria-invalid={fault ? "true" : undefined}
          >
            {form.get("members") ?? ""}
          </textarea>
        </div>
        <fieldset>
          <legend>What becomes of them</legend>
          {Object.entries(words).map(([value, label]) => (
            <div class="choice">
              <input type="radio" id={`mode-${value}`} name="mode" value={value} checked={value === mode} />
              <label for={`mode-${value}`}>{label}</label>
            </div>
          ))}
        </fieldset>
        <p class="actions">
          <button type="submit" class="primary">
            Push
          </button>
          <a href={page}>Cancel</a>
        </p>
      </form>
    </>
  );
  return { title: `Push members of ${name}`, body, status: outcome?.refusal.status ?? 200 };
};
