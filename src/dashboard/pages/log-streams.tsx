/** Log streams: receivers that are sent entries of the log as they come. */
import { contentFormats, entryCategories, type LogStreamDelivery, type LogStreamView } from "../../model/log-stream.ts";
import { pageAt } from "../address.ts";
import { confirmPage, deletePage } from "../forms/confirm-page.tsx";
import { choices, type Field, nameField } from "../forms/field.ts";
import { formPage } from "../forms/form-page.tsx";
import type { Read } from "../forms/read-form.ts";
import { valuesOf } from "../forms/values.ts";
import { Facts } from "../parts/facts.tsx";
import { Done, Head, listsUnder } from "../parts/head.tsx";
import { listQuery, More, Table } from "../parts/list.tsx";
import { Count, counted, Moment, reading } from "../parts/reader.tsx";
import { Status } from "../parts/status.tsx";
import type { Handler, Visit } from "../visit.ts";

type View = Omit<LogStreamView, "status"> & {
  status: "active" | "paused" | "suspended";
  delivery: LogStreamDelivery | null;
};

const [list] = listsUnder.streams;
const under = [listsUnder.streams];

const fields: readonly Field[] = [
  nameField,
  {
    kind: "text",
    name: "sink.http_endpoint",
    label: "Address of the receiver",
    hint: "https, at a host of the setting LOG_STREAM_HOSTS.",
  },
  { kind: "choice", name: "sink.http_content_format", label: "Format", options: choices(contentFormats) },
  {
    kind: "text",
    name: "sink.http_content_type",
    label: "Content type",
    hint: "The one that fits the format unless said.",
    optional: true,
  },
  {
    kind: "text",
    name: "sink.http_authorization",
    label: "Authorization",
    hint: "Sent with every request, and never shown again.",
    type: "password",
    optional: true,
  },
  {
    kind: "checks",
    name: "filters",
    label: "Which entries",
    hint: "All of them where none is ticked.",
    options: choices(Object.keys(entryCategories)),
  },
];

const shape = (read: Read): Read => ({
  ...read,
  body: {
    ...read.body,
    filters: read.body.filters.map((name: string) => ({ type: "category", name })),
  },
});

export const logStreams: Handler = async (visit) => {
  const page = await visit.api.get<{ log_streams: View[]; next?: string }>(`/log-streams${listQuery(visit)}`);
  const body = (
    <>
      <Head title="Log streams">
        <p class="lead quiet">Where entries of the log are sent as they come: in order, each at least once.</p>
        {visit.may("create") && (
          <p class="actions">
            <a class="button primary" href={pageAt`/log-streams/new`}>
              New log stream
            </a>
          </p>
        )}
      </Head>
      <Done url={visit.url} />
      {page.log_streams.length === 0 ? (
        <p>None yet. Make one to have log-ins and warnings where you keep your other logs.</p>
      ) : (
        <Table
          label="Log streams"
          items={page.log_streams}
          columns={[
            { head: "Name", cell: ({ id, name }) => <a href={pageAt`/log-streams/${id}`}>{name}</a> },
            { head: "State", cell: ({ delivery, status }) => <Status of={delivery?.state ?? status} /> },
            { head: "To", cell: ({ sink }) => <code>{sink.http_endpoint}</code> },
            {
              head: "Delivered",
              cell: ({ delivery }) => delivery && <Count of={delivery.delivered} />,
              isNumber: true,
            },
            { head: "Waiting", cell: ({ delivery }) => delivery && <Count of={delivery.pending} />, isNumber: true },
          ]}
        />
      )}
      <More visit={visit} next={page.next} />
    </>
  );
  return { title: "Log streams", body };
};

export const newLogStream: Handler = (visit) =>
  formPage<View>(visit, {
    title: "New log stream",
    under,
    fields,
    values: valuesOf({ sink: { http_content_format: "JSONLINES" } }),
    action: "Make the log stream",
    shape: (read) => {
      const { body, ...rest } = shape(read);
      return { ...rest, body: { ...body, type: "http" } };
    },
    cancel: list,
    send: (body) => visit.api.send("POST", "/log-streams", body),
    done: ({ id }) => ({ to: `${pageAt`/log-streams/${id}`}?done=made` }),
  });

const read = (visit: Visit) => visit.api.get<View>(`/log-streams/${encodeURIComponent(visit.params.id ?? "")}`);

export const logStream: Handler = async (visit) => {
  const { id, name, status, sink, filters, delivery, start_from, updated_at } = await read(visit);
  const to = status === "active" ? "paused" : "active";
  const body = (
    <>
      <Head title={name} under={under}>
        <p class="actions">
          {visit.may("update") && (
            <a class="button" href={`${pageAt`/log-streams/${id}`}/status?to=${to}`}>
              {to === "active" ? "Resume" : "Pause"}
            </a>
          )}
          {visit.may("update") && <a href={pageAt`/log-streams/${id}/edit`}>Edit</a>}
          {visit.may("delete") && <a href={pageAt`/log-streams/${id}/delete`}>Delete</a>}
        </p>
      </Head>
      <Done url={visit.url} />
      <div id="delivery" data-live="5">
        {delivery === null ? <p>How far it has come cannot be told now.</p> : <Delivery of={delivery} />}
      </div>
      <section aria-labelledby="set-up">
        <h2 id="set-up">Set-up</h2>
        <Facts
          of={[
            ["To", <code>{sink.http_endpoint}</code>],
            ["As", `${sink.http_content_format}, ${sink.http_content_type}`],
            ["Authorization", sink.has_authorization ? "sent, and never shown" : "none"],
            ["Headers", sink.http_custom_headers.map(({ header }) => header).join(", ") || undefined],
            ["Entries", filters.map((filter) => filter.name).join(", ") || "all of them"],
            ["From", start_from && <Moment at={start_from} />],
            ["Id", <code>{id}</code>],
            ["Last changed", <Moment at={updated_at} />],
          ]}
        />
      </section>
    </>
  );
  return { title: name, body };
};

function Delivery({ of }: { of: LogStreamDelivery }) {
  const { state, delivered, last_delivered_at, pending, pending_since, lost, failures, failing_since, error } = of;
  return (
    <Facts
      of={[
        ["State", <Status of={state} />],
        ["Delivered", <Count of={delivered} />],
        ["Last delivery", last_delivered_at ? <Moment at={last_delivered_at} seconds /> : "never"],
        [
          "Waiting",
          pending > 0 ? (
            <>
              {counted(reading(), pending, "entry", "entries")}
              {pending_since && (
                <>
                  , the first since <Moment at={pending_since} />
                </>
              )}
            </>
          ) : (
            "none"
          ),
        ],
        ["Lost", lost > 0 ? <Count of={lost} /> : undefined],
        [
          "Trouble",
          error ? (
            <>
              {error} ({failures} in a row
              {failing_since && (
                <>
                  , since <Moment at={failing_since} />
                </>
              )}
              )
            </>
          ) : undefined,
        ],
        ["Next attempt", of.next_attempt_at ? <Moment at={of.next_attempt_at} seconds /> : undefined],
      ]}
    />
  );
}

export const editLogStream: Handler = async (visit) => {
  const { id, name, sink, filters, updated_at } = await read(visit);
  const page = pageAt`/log-streams/${id}`;
  const { http_endpoint, http_content_format, http_content_type } = sink;
  return formPage<View>(visit, {
    title: `Edit “${name}”`,
    under: [...under, [page, name]],
    lead: (
      <p class="quiet">
        An Authorization left empty stays as it is; where the address leads to another origin, it has to be given again.
      </p>
    ),
    fields,
    values: valuesOf({
      name,
      sink: { http_endpoint, http_content_format, http_content_type },
      filters: filters.map((filter) => filter.name),
    }),
    action: "Save",
    shape,
    seen: updated_at,
    cancel: page,
    send: (body) => visit.api.send("PATCH", `/log-streams/${id}`, body),
    done: () => ({ to: `${page}?done=saved` }),
  });
};

export const logStreamStatus: Handler = async (visit) => {
  const { id, name } = await read(visit);
  const page = pageAt`/log-streams/${id}`;
  const status = visit.form.get("to") ?? visit.url.searchParams.get("to") ?? "";
  const isPause = status === "paused";
  return confirmPage(visit, {
    title: isPause ? `Pause “${name}”?` : `Resume “${name}”?`,
    under: [...under, [page, name]],
    lead: (
      <p>{isPause ? "What comes meanwhile waits, as long as the log keeps it." : "It goes on where it stopped."}</p>
    ),
    action: isPause ? "Pause it" : "Resume it",
    cancel: page,
    fields: { to: status },
    send: () => visit.api.send("PATCH", `/log-streams/${id}`, { status }),
    done: () => ({ to: `${page}?done=status` }),
  });
};

export const deleteLogStream: Handler = async (visit) => {
  const { id, name } = await read(visit);
  return deletePage(visit, {
    what: "the log stream",
    name,
    under,
    path: `/log-streams/${id}`,
    page: pageAt`/log-streams/${id}`,
    list,
    consequence: "Nothing more is sent. What waits for it stays in the log.",
  });
};
