/** Segments: rules on what is known of a visitor. */
import type { CohortView } from "../../model/cohort.ts";
import type { Segment } from "../../model/segment.ts";
import { pageAt } from "../address.ts";
import { deletePage } from "../forms/confirm-page.tsx";
import { choices, descriptionField, type Field, nameField } from "../forms/field.ts";
import { formPage } from "../forms/form-page.tsx";
import { valuesOf } from "../forms/values.ts";
import type { Names } from "../parts/allocation.tsx";
import { Facts } from "../parts/facts.tsx";
import { Done, Head, listsUnder } from "../parts/head.tsx";
import { listQuery, More, Table } from "../parts/list.tsx";
import { Moment } from "../parts/reader.tsx";
import { attributes, conditionsOf, operatorOptions, shapeRules, wordsOf } from "../segment-rule.ts";
import type { Handler, Visit } from "../visit.ts";

const [list] = listsUnder.segments;
const under = [listsUnder.segments];

const fields: readonly Field[] = [
  nameField,
  descriptionField,
  {
    kind: "rows",
    name: "rules",
    label: "Rules",
    hint: "The segment matches where any rule does; a rule where all of its conditions do.",
    one: "rule",
    least: 1,
    columns: [
      {
        kind: "rows",
        name: "conditions",
        label: "Conditions",
        one: "condition",
        least: 1,
        columns: [
          { kind: "choice", name: "attribute", label: "Attribute", options: choices(attributes), empty: "none" },
          { kind: "choice", name: "operator", label: "Operator", options: operatorOptions },
          {
            kind: "lines",
            name: "values",
            label: "Values",
            hint: "One a line. Countries as DE, devices as mobile, tablet or desktop, cohorts by name.",
          },
        ],
      },
    ],
  },
];

async function cohortNames({ api }: Visit): Promise<Map<string, string>> {
  const { items } = await api.all<CohortView>("/cohorts", "cohorts");
  return new Map(items.map(({ id, name }) => [id, name]));
}

const idsOf = (names: Names) => new Map([...names].map(([id, name]) => [name, id]));

export const segments: Handler = async (visit) => {
  const [page, names] = await Promise.all([
    visit.api.get<{ segments: Segment[]; next?: string }>(`/segments${listQuery(visit)}`),
    cohortNames(visit),
  ]);
  const body = (
    <>
      <Head title="Segments">
        <p class="lead quiet">Visitors with something in common, for experiments and rollouts to tell apart.</p>
        {visit.may("create") && (
          <p class="actions">
            <a class="button primary" href={pageAt`/segments/new`}>
              New segment
            </a>
          </p>
        )}
      </Head>
      <Done url={visit.url} />
      {page.segments.length === 0 ? (
        <p>
          None yet. An experiment that splits by chance needs none; make one to give some visitors something of their
          own.
        </p>
      ) : (
        <Table
          label="Segments"
          items={page.segments}
          columns={[
            { head: "Name", cell: ({ id, name }) => <a href={pageAt`/segments/${id}`}>{name}</a> },
            { head: "Who", cell: (segment) => <Rules of={segment} names={names} />, isLong: true },
            { head: "Last changed", cell: ({ updated_at }) => <Moment at={updated_at} /> },
          ]}
        />
      )}
      <More visit={visit} next={page.next} />
    </>
  );
  return { title: "Segments", body };
};

export function Rules({ of: { rules }, names }: { of: Pick<Segment, "rules">; names: Names }) {
  return (
    <ul class="lines">
      {rules.map((rule, place) => (
        <li>
          {place > 0 && <span class="quiet">or </span>}
          {conditionsOf(rule, names).map(wordsOf).join(", and ")}
        </li>
      ))}
    </ul>
  );
}

export const newSegment: Handler = async (visit) => {
  const ids = idsOf(await cohortNames(visit));
  return formPage<Segment>(visit, {
    title: "New segment",
    under,
    fields,
    values: new URLSearchParams(),
    action: "Make the segment",
    shape: (read) => shapeRules(read, ids),
    cancel: list,
    send: (body) => visit.api.send("POST", "/segments", body),
    done: ({ id }) => ({ to: `${pageAt`/segments/${id}`}?done=made` }),
  });
};

const read = (visit: Visit) => visit.api.get<Segment>(`/segments/${encodeURIComponent(visit.params.id ?? "")}`);

export const segment: Handler = async (visit) => {
  const [found, names] = await Promise.all([read(visit), cohortNames(visit)]);
  const { id, name, description, type, created_at, updated_at } = found;
  const body = (
    <>
      <Head title={name} under={under}>
        {description && <p class="lead">{description}</p>}
        <p class="actions">
          {visit.may("update") && type === "self" && <a href={pageAt`/segments/${id}/edit`}>Edit</a>}
          {visit.may("delete") && type === "self" && <a href={pageAt`/segments/${id}/delete`}>Delete</a>}
        </p>
      </Head>
      <Done url={visit.url} />
      <section>
        <h2>Who is in it</h2>
        <Rules of={found} names={names} />
      </section>
      <Facts
        of={[
          ["Id", <code>{id}</code>],
          ["Made", <Moment at={created_at} />],
          ["Last changed", <Moment at={updated_at} />],
        ]}
      />
    </>
  );
  return { title: name, body };
};

export const editSegment: Handler = async (visit) => {
  const [{ id, name, description, rules, updated_at }, names] = await Promise.all([read(visit), cohortNames(visit)]);
  const ids = idsOf(names);
  const page = pageAt`/segments/${id}`;
  const rows = rules.map((rule) => ({ conditions: conditionsOf(rule, names).map((one) => ({ ...one })) }));
  return formPage<Segment>(visit, {
    title: `Edit “${name}”`,
    under: [...under, [page, name]],
    lead: <p class="quiet">Experiments that run on this segment go by it as soon as it is published.</p>,
    fields,
    values: valuesOf({ name, description, rules: rows }),
    action: "Save",
    shape: (read) => shapeRules(read, ids),
    seen: updated_at,
    cancel: page,
    send: (body) => visit.api.send("PATCH", `/segments/${id}`, body),
    done: () => ({ to: `${page}?done=saved` }),
  });
};

export const deleteSegment: Handler = async (visit) => {
  const { id, name } = await read(visit);
  return deletePage(visit, {
    what: "the segment",
    name,
    under,
    path: `/segments/${id}`,
    page: pageAt`/segments/${id}`,
    list,
    consequence: "It is gone for good. While an experiment goes by it, it cannot be deleted.",
  });
};
