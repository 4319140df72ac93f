/** The list of experiments. */

import type { PresentedExperiment } from "../../model/present-experiment.ts";
import { pageAt } from "../address.ts";
import { noErrors } from "../forms/errors.ts";
import { choices } from "../forms/field.ts";
import { Fields } from "../forms/fields.tsx";
import { flagNames } from "../lookups.ts";
import { nameIn } from "../parts/allocation.tsx";
import { Done, Head } from "../parts/head.tsx";
import { listQuery, More, Table } from "../parts/list.tsx";
import { Moment } from "../parts/reader.tsx";
import { Search } from "../parts/search.tsx";
import { Status } from "../parts/status.tsx";
import type { Handler } from "../visit.ts";

const statuses = ["draft", "active", "paused", "completed", "archived"];

export const experiments: Handler = async (visit) => {
  const query = listQuery(visit, ["status", "feature_flag_id"]);
  const page = await visit.api.get<{ experiments: PresentedExperiment[]; next?: string }>(`/experiments${query}`);
  const flags = await flagNames(visit.api, page.experiments);
  const isFiltered = visit.url.searchParams.get("status");
  const body = (
    <>
      <Head title="Experiments">
        {visit.may("create") && (
          <p class="actions">
            <a class="button primary" href={pageAt`/experiments/new`}>
              New experiment
            </a>
          </p>
        )}
      </Head>
      <Done url={visit.url} />
      <Search label="Experiments">
        <Fields
          fields={[{ kind: "choice", name: "status", label: "Status", options: choices(statuses), empty: "any" }]}
          values={visit.url.searchParams}
          errors={noErrors}
        />
        <button type="submit">Show</button>
      </Search>
      {page.experiments.length === 0 ? (
        <p>
          {isFiltered
            ? "None of that status: choose another, or any."
            : "None yet. It takes a feature flag with two variations, and says who gets which."}
        </p>
      ) : (
        <Table
          label="Experiments"
          items={page.experiments}
          columns={[
            { head: "Name", cell: ({ id, name }) => <a href={pageAt`/experiments/${id}`}>{name}</a> },
            { head: "Status", cell: ({ status }) => <Status of={status} /> },
            {
              head: "Ready",
              cell: ({ status, is_valid }) =>
                status === "completed" || status === "archived" ? "" : <Status of={is_valid ? "valid" : "invalid"} />,
            },
            {
              head: "On",
              cell: ({ feature_flag_id }) => (
                <a href={pageAt`/flags/${feature_flag_id}`}>{nameIn(flags, feature_flag_id)}</a>
              ),
            },
            { head: "By", cell: ({ allocation_strategy }) => allocation_strategy },
            { head: "Last changed", cell: ({ updated_at }) => <Moment at={updated_at} /> },
          ]}
        />
      )}
      <More visit={visit} next={page.next} />
    </>
  );
  return { title: "Experiments", body };
};
