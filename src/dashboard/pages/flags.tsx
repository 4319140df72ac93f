/** Feature flags: the list, and each on a page of its own. */

import type { Deployment } from "../../model/deployment.ts";
import type { FeatureFlag, FeatureFlagStatus } from "../../model/feature-flag.ts";
import { nextFlagStatuses } from "../../model/feature-flag.ts";
import type { PresentedExperiment } from "../../model/present-experiment.ts";
import type { Variation } from "../../model/variation.ts";
import { pageAt } from "../address.ts";
import { confirmPage, deletePage } from "../forms/confirm-page.tsx";
import { noErrors } from "../forms/errors.ts";
import { choices } from "../forms/field.ts";
import { Fields } from "../forms/fields.tsx";
import { targetedNames, variationsOn } from "../lookups.ts";
import { Facts, Value } from "../parts/facts.tsx";
import { Done, Head, listsUnder } from "../parts/head.tsx";
import { listQuery, More, Table } from "../parts/list.tsx";
import { Moment } from "../parts/reader.tsx";
import { Search } from "../parts/search.tsx";
import { Status } from "../parts/status.tsx";
import type { Handler, Visit } from "../visit.ts";
import { RolloutWords } from "./rollout-words.tsx";

const [list] = listsUnder.flags;
export const under = [listsUnder.flags];

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

export const readFlag = ({ api, params }: Visit) =>
  api.get<FeatureFlag>(`/feature-flags/${encodeURIComponent(params.id ?? "")}`);

export const flag: Handler = async (visit) => {
  const found = await readFlag(visit);
  const { id, name, description, key, status, type } = found;
  const [variations, { experiments }, deployments, segments] = await Promise.all([
    variationsOn(visit.api, id),
    visit.api.get<{ experiments: PresentedExperiment[] }>(`/experiments?feature_flag_id=${id}&take=50`),
    Promise.all(found.deployments.map((one) => visit.api.find<Deployment>(`/deployments/${one}`))),
    targetedNames(visit.api, found),
  ]);
  const isOpen = status !== "archived" && type === "self";
  const mayChange = isOpen && visit.may("update");
  const page = pageAt`/flags/${id}`;
  const body = (
    <>
      <Head title={name} under={under}>
        <p>
          <Status of={status} /> · <code>{key}</code>
        </p>
        {description && <p class="lead">{description}</p>}
        <p class="actions">
          {mayChange &&
            nextFlagStatuses[status].map((to) => (
              <a class={to === "active" ? "button primary" : "button"} href={`${page}/status?to=${to}`}>
                {to === "active" ? "Activate" : "Archive"}
              </a>
            ))}
          {isOpen && visit.may("create") && (
            <a class="button" href={`${pageAt`/experiments/new`}?flag=${id}`}>
              New experiment
            </a>
          )}
          {mayChange && <a href={`${page}/edit`}>Edit</a>}
          {visit.may("delete") && type === "self" && <a href={`${page}/delete`}>Delete</a>}
        </p>
      </Head>
      <Done url={visit.url} />
      <NextStep flag={found} variations={variations} visit={visit} hasExperiment={experiments.length > 0} />
      <section aria-labelledby="parameters">
        <h2 id="parameters">Parameters</h2>
        <Table
          label="Parameters"
          items={Object.entries(found.parameters ?? {})}
          columns={[
            { head: "Name", cell: ([parameter]) => <code>{parameter}</code> },
            { head: "Type", cell: ([, one]) => one.type },
            { head: "Value", cell: ([, one]) => <Value of={one.value} />, isLong: true },
            { head: "Meaning", cell: ([, one]) => one.description ?? "", isLong: true },
          ]}
        />
      </section>
      <section aria-labelledby="variations">
        <h2 id="variations">Variations</h2>
        {variations.length === 0 ? (
          <p class="quiet">None yet.</p>
        ) : (
          <Variations flag={found} variations={variations} visit={visit} mayChange={mayChange} />
        )}
        {isOpen && visit.may("create") && (
          <p>
            <a class="button" href={`${page}/variations/new`}>
              New variation
            </a>
          </p>
        )}
      </section>
      <section aria-labelledby="experiments">
        <h2 id="experiments">Experiments on it</h2>
        {experiments.length === 0 ? (
          <p class="quiet">None yet.</p>
        ) : (
          <ul class="lines">
            {experiments.map((one) => (
              <li>
                <Status of={one.status} /> <a href={pageAt`/experiments/${one.id}`}>{one.name}</a>
              </li>
            ))}
          </ul>
        )}
      </section>
      <section aria-labelledby="rollout">
        <h2 id="rollout">Rollout</h2>
        <RolloutWords flag={found} segments={segments} />
        {mayChange && (
          <p>
            <a class="button" href={`${page}/rollout`}>
              Edit the rollout
            </a>
          </p>
        )}
      </section>
      <Facts
        of={[
          [
            "Deployments",
            deployments.flatMap((one) => one?.name ?? []).join(", ") || "none: only pages behind the gate see it",
          ],
          ["Id", <code>{id}</code>],
          ["Made", <Moment at={found.created_at} />],
          ["Last changed", <Moment at={found.updated_at} />],
        ]}
      />
    </>
  );
  return { title: name, body };
};

interface Parts {
  flag: FeatureFlag;
  variations: readonly Variation[];
  visit: Visit;
}

/** What keeps a new flag from being of use. */
function NextStep({ flag: { id, status }, variations, visit, hasExperiment }: Parts & { hasExperiment: boolean }) {
  if (!visit.may("update") || status === "archived") return null;
  const page = pageAt`/flags/${id}`;
  const step =
    variations.length < 2 ? (
      <>
        It needs two variations to be of use:{" "}
        <a href={`${page}/variations/new`}>make {variations.length === 0 ? "the first" : "another"}</a>. The first is
        usually one that changes nothing.
      </>
    ) : status === "draft" ? (
      <>
        Nothing goes by it yet: <a href={`${page}/status?to=active`}>activate it</a>.
      </>
    ) : hasExperiment ? null : (
      <>
        It can be experimented with: <a href={`${pageAt`/experiments/new`}?flag=${id}`}>make an experiment on it</a>.
      </>
    );
  return step && <p class="notice">{step}</p>;
}

function Variations({ flag, variations, visit, mayChange }: Parts & { mayChange: boolean }) {
  const page = pageAt`/flags/${flag.id}`;
  return (
    <Table
      label="Variations"
      items={variations}
      columns={[
        { head: "Name", cell: ({ name }) => name },
        { head: "Key", cell: ({ key }) => <code>{key}</code> },
        {
          head: "Overrides",
          isLong: true,
          cell: ({ overrides }) =>
            Object.keys(overrides).length === 0 ? (
              <span class="quiet">nothing: the parameters as they are</span>
            ) : (
              <ul class="lines">
                {Object.entries(overrides).map(([parameter, { value }]) => (
                  <li>
                    <code>{parameter}</code>: <Value of={value} />
                  </li>
                ))}
              </ul>
            ),
        },
        {
          head: "",
          cell: ({ id, name }) => (
            <span class="actions">
              {mayChange && (
                <a href={`${page}/variations/${id}/edit`}>
                  Edit<span class="unseen"> {name}</span>
                </a>
              )}
              {visit.may("delete") && mayChange && (
                <a href={`${page}/variations/${id}/delete`}>
                  Delete<span class="unseen"> {name}</span>
                </a>
              )}
            </span>
          ),
        },
      ]}
    />
  );
}

export const flagStatus: Handler = async (visit) => {
  const { id, name } = await readFlag(visit);
  const page = pageAt`/flags/${id}`;
  const status = (visit.form.get("to") ?? visit.url.searchParams.get("to")) as FeatureFlagStatus;
  const isStart = status === "active";
  return confirmPage(visit, {
    title: isStart ? `Activate “${name}”?` : `Archive “${name}”?`,
    under: [...under, [page, name]],
    lead: isStart ? (
      <p>
        Its rollout then holds for whoever fetches it, and experiments on it can be activated. It can be archived later,
        and not become a draft again.
      </p>
    ) : (
      <p>For good: an archived flag is evaluated no more, cannot be changed, and never comes back.</p>
    ),
    action: isStart ? "Activate it" : "Archive it",
    isDangerous: !isStart,
    cancel: page,
    fields: { to: status ?? "" },
    send: () => visit.api.send("POST", `/feature-flags/${id}/status`, { status }),
    done: () => ({ to: `${page}?done=status` }),
  });
};

export const deleteFlag: Handler = async (visit) => {
  const { id, name } = await readFlag(visit);
  return deletePage(visit, {
    what: "the feature flag",
    name,
    under,
    path: `/feature-flags/${id}`,
    page: pageAt`/flags/${id}`,
    list,
    consequence:
      "It is gone for good, and its variations with it. While an experiment, a flag or a group needs it, it stays.",
  });
};
