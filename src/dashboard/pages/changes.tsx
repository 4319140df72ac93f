/** The change log: who changed what, when, from what to what. */

import { type ChangeView, resourceTypes } from "../../model/change.ts";
import { isSameJson } from "../../model/json-value.ts";
import { pageAt } from "../address.ts";
import { noErrors } from "../forms/errors.ts";
import { choices } from "../forms/field.ts";
import { Fields } from "../forms/fields.tsx";
import { ChangeLine } from "../parts/change-line.tsx";
import { Head } from "../parts/head.tsx";
import { listQuery, More, Table } from "../parts/list.tsx";
import { counted, reading } from "../parts/reader.tsx";
import { Search } from "../parts/search.tsx";
import type { Handler } from "../visit.ts";

/** Of a value, what a page shows. */
const longest = 2_000;

const filters = ["resource_type", "resource_id", "actor", "operation", "since", "until"];

export const changes: Handler = async (visit) => {
  const page = await visit.api.get<{ changes: ChangeView[]; next?: string }>(`/changes${listQuery(visit, filters)}`);
  const isFiltered = filters.some((name) => visit.url.searchParams.get(name));
  const body = (
    <>
      <Head title="Changes">
        <p class="lead quiet">Everything that was changed, the newest first.</p>
      </Head>
      <Search label="Changes">
        <Fields
          fields={[
            { kind: "choice", name: "resource_type", label: "Of", options: choices(resourceTypes), empty: "anything" },
            { kind: "text", name: "resource_id", label: "Id" },
            { kind: "text", name: "actor", label: "By", placeholder: "root, token:…" },
          ]}
          values={visit.url.searchParams}
          errors={noErrors}
        />
        <button type="submit">Search</button>
        {isFiltered && <a href={pageAt`/changes`}>Show all</a>}
      </Search>
      {page.changes.length === 0 ? (
        <p>
          {isFiltered
            ? "Nothing of that kind was changed."
            : "Nothing yet: whatever is made, changed or deleted stands here, with who it was."}
        </p>
      ) : (
        <ul class="lines changes">
          {page.changes.map((change) => (
            <ChangeItem change={change} />
          ))}
        </ul>
      )}
      <More visit={visit} next={page.next} />
    </>
  );
  return { title: "Changes", body };
};

export function ChangeItem({ change }: { change: ChangeView }) {
  const fields = differences(change);
  return (
    <li>
      <ul class="lines">
        <ChangeLine change={change} />
      </ul>
      <details>
        <summary>
          {counted(reading(), fields.length, "field")}
          <span class="quiet">
            {" "}
            · {change.operation} · version {change.version}
          </span>
        </summary>
        <Table
          label="Before and after"
          items={fields}
          columns={[
            { head: "Field", cell: ({ name }) => name },
            { head: "Before", cell: ({ before }) => <Written of={before} /> },
            { head: "After", cell: ({ after }) => <Written of={after} />, isLong: true },
          ]}
        />
        <p class="quiet">
          Correlation id <code>{change.correlation_id}</code>
        </p>
      </details>
    </li>
  );
}

interface Difference {
  name: string;
  before: unknown;
  after: unknown;
}

/** Field by field; what every edit changes is left out. */
export function differences({ before, after }: Pick<ChangeView, "before" | "after">): Difference[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return names.flatMap((name) => {
    const [from, to] = [before?.[name], after?.[name]];
    return name === "updated_at" || isSameJson(from, to) ? [] : [{ name, before: from, after: to }];
  });
}

function Written({ of }: { of: unknown }) {
  if (of === undefined) return <span class="quiet">none</span>;
  const text = typeof of === "string" ? of : JSON.stringify(of, null, 1);
  return (
    <code class="written">
      {text.slice(0, longest)}
      {text.length > longest && <span class="quiet"> … {text.length} characters; the API’s /changes has them all</span>}
    </code>
  );
}
