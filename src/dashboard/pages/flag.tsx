/** A feature flag on a page of its own. */
import { type Deployment, gateDeployment } from "../../model/deployment.ts";
import type { FeatureFlag } from "../../model/feature-flag.ts";
import { nextFlagStatuses } from "../../model/feature-flag.ts";
import type { PresentedExperiment } from "../../model/present-experiment.ts";
import type { Variation } from "../../model/variation.ts";
import { pageAt } from "../address.ts";
import { targetedNames, variationsOn } from "../lookups.ts";
import { Facts, Value } from "../parts/facts.tsx";
import { Done, Head, listsUnder } from "../parts/head.tsx";
import { Table } from "../parts/list.tsx";
import { Moment } from "../parts/reader.tsx";
import { Status } from "../parts/status.tsx";
import type { Handler, Visit } from "../visit.ts";
import { RolloutWords } from "./rollout-words.tsx";

export const under = [listsUnder.flags];

export const readFlag = ({ api, params }: Visit) =>
  api.get<FeatureFlag>(`/feature-flags/${encodeURIComponent(params.id ?? "")}`);

export const flag: Handler = async (visit) => {
  const found = await readFlag(visit);
  const { id, name, description, key, status, type } = found;
  const [variations, { experiments }, deployments, segments] = await Promise.all([
    variationsOn(visit.api, id),
    visit.api.get<{ experiments: PresentedExperiment[] }>(`/experiments?feature_flag_id=${id}&take=50`),
    Promise.all(
      found.deployments.map((one) =>
        one === gateDeployment ? { name: "Gate (login pages)" } : visit.api.find<Deployment>(`/deployments/${one}`),
      ),
    ),
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
            deployments.flatMap((one) => one?.name ?? []).join(", ") || "None: the flag is enabled nowhere",
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
