/** All feature flags. */
import type { FeatureFlag } from "../../model/feature-flag.ts";
import { pageAt } from "../address.ts";
import { noErrors } from "../forms/errors.ts";
import { choices } from "../forms/field.ts";
import { Fields } from "../forms/fields.tsx";
import { Done, Head } from "../parts/head.tsx";
import { listQuery, More, Table } from "../parts/list.tsx";
import { Moment } from "../parts/reader.tsx";
import { Search } from "../parts/search.tsx";
import { Status } from "../parts/status.tsx";
import type { Handler } from "../visit.ts";

export const flags: Handler = async (visit) => {
  const query = listQuery(visit, ["status"]);
  const page = await visit.api.get<{ feature_flags: FeatureFlag[]; next?: string }>(`/feature-flags${query}`);
  const isFiltered = visit.url.searchParams.has("status");
  const body = (
    <>
      <Head title="Feature flags">
        <p class="lead quiet">
          What a page or an app may do differently: parameters, and variations that override them.
        </p>
        {visit.may("create") && (
          <p class="actions">
            <a class="button primary" href={pageAt`/flags/new`}>
              New feature flag
            </a>
          </p>
        )}
      </Head>
      <Done url={visit.url} />
      <Search label="Feature flags">
        <Fields
          fields={[
            {
              kind: "choice",
              name: "status",
              label: "Status",
              options: choices(["draft", "active", "archived"]),
              empty: "any",
            },
          ]}
          values={visit.url.searchParams}
          errors={noErrors}
        />
        <button type="submit">Show</button>
      </Search>
      {page.feature_flags.length === 0 ? (
        <p>
          {isFiltered
            ? "None of that status: choose another, or any."
            : "None yet. An experiment is about one: make it first."}
        </p>
      ) : (
        <Table
          label="Feature flags"
          items={page.feature_flags}
          columns={[
            { head: "Name", cell: ({ id, name }) => <a href={pageAt`/flags/${id}`}>{name}</a> },
            { head: "Key", cell: ({ key }) => <code>{key}</code> },
            { head: "Status", cell: ({ status }) => <Status of={status} /> },
            { head: "Parameters", cell: ({ parameters = {} }) => Object.keys(parameters).length, isNumber: true },
            { head: "Last changed", cell: ({ updated_at }) => <Moment at={updated_at} /> },
          ]}
        />
      )}
      <More visit={visit} next={page.next} />
    </>
  );
  return { title: "Feature flags", body };
};
