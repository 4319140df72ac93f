/** Deployments: keys that apps and back ends fetch assignments with. */
import type { Deployment } from "../../model/deployment.ts";
import { pageAt } from "../address.ts";
import { confirmPage, deletePage } from "../forms/confirm-page.tsx";
import { descriptionField, type Field, nameField } from "../forms/field.ts";
import { formPage } from "../forms/form-page.tsx";
import { valuesOf } from "../forms/values.ts";
import { Copy, Facts } from "../parts/facts.tsx";
import { Done, Head, listsUnder } from "../parts/head.tsx";
import { listQuery, More, Table } from "../parts/list.tsx";
import { Moment } from "../parts/reader.tsx";
import type { Handler, Page, Reply, Visit } from "../visit.ts";
import { secretPage } from "./secret.tsx";

type View = Omit<Deployment, "key_hash">;

const [list] = listsUnder.deployments;
const under = [listsUnder.deployments];

const typeField: Field = {
  kind: "choice",
  name: "type",
  label: "Type",
  hint: "A client’s key travels in apps and sees variations only. A server’s key sees whole flags: keep it secret.",
  options: [
    { value: "client", label: "Client" },
    { value: "server", label: "Server" },
  ],
};

export const deployments: Handler = async (visit) => {
  const page = await visit.api.get<{ deployments: View[]; next?: string }>(`/deployments${listQuery(visit)}`);
  const body = (
    <>
      <Head title="Deployments">
        <p class="lead quiet">What fetches assignments by itself, each with a key of its own.</p>
        {visit.may("create") && (
          <p class="actions">
            <a class="button primary" href={pageAt`/deployments/new`}>
              New deployment
            </a>
          </p>
        )}
      </Head>
      <Done url={visit.url} />
      {page.deployments.length === 0 ? (
        <p>
          None yet. Pages behind the gate need none; an app does, and each feature flag says which deployments may see
          it.
        </p>
      ) : (
        <Table
          label="Deployments"
          items={page.deployments}
          columns={[
            { head: "Name", cell: ({ id, name }) => <a href={pageAt`/deployments/${id}`}>{name}</a> },
            { head: "Type", cell: ({ type }) => type },
            { head: "Made", cell: ({ created_at }) => <Moment at={created_at} /> },
          ]}
        />
      )}
      <More visit={visit} next={page.next} />
    </>
  );
  return { title: "Deployments", body };
};

export const newDeployment: Handler = (visit) =>
  formPage<View & { key: string }>(visit, {
    title: "New deployment",
    under,
    fields: [nameField, typeField, descriptionField],
    values: valuesOf({ type: "client" }),
    action: "Make the deployment",
    cancel: list,
    send: (body) => visit.api.send("POST", "/deployments", body),
    done: made,
  });

function made({ id, name, type, key }: View & { key: string }): Reply {
  const lead =
    type === "server"
      ? "This is its key. It is shown this once: put it where your back end reads its secrets."
      : "This is its key. It is no secret, and stays on the deployment’s page.";
  return secretPage({ title: name, under, lead, secret: key, next: [pageAt`/deployments/${id}`, `On to “${name}”`] });
}

const read = (visit: Visit) => visit.api.get<View>(`/deployments/${encodeURIComponent(visit.params.id ?? "")}`);

export const deployment: Handler = async (visit): Promise<Page> => {
  const { id, name, description, type, key, created_at, updated_at } = await read(visit);
  const body = (
    <>
      <Head title={name} under={under}>
        {description && <p class="lead">{description}</p>}
        <p class="actions">
          {visit.may("update") && <a href={pageAt`/deployments/${id}/edit`}>Edit</a>}
          {visit.may("update") && <a href={pageAt`/deployments/${id}/rotate`}>Draw a new key</a>}
          {visit.may("delete") && <a href={pageAt`/deployments/${id}/delete`}>Delete</a>}
        </p>
      </Head>
      <Done url={visit.url} />
      <Facts
        of={[
          ["Type", type],
          [
            "Key",
            key === undefined ? (
              <span class="quiet">shown when it was drawn, and kept nowhere</span>
            ) : (
              <>
                <code>{key}</code> <Copy text={key} />
              </>
            ),
          ],
          ["Id", <code>{id}</code>],
          ["Made", <Moment at={created_at} />],
          ["Last changed", <Moment at={updated_at} />],
        ]}
      />
    </>
  );
  return { title: name, body };
};

export const editDeployment: Handler = async (visit) => {
  const { id, name, description, updated_at } = await read(visit);
  const page = pageAt`/deployments/${id}`;
  return formPage<View>(visit, {
    title: `Edit “${name}”`,
    under: [...under, [page, name]],
    fields: [nameField, descriptionField],
    values: valuesOf({ name, description }),
    action: "Save",
    seen: updated_at,
    cancel: page,
    send: (body) => visit.api.send("PATCH", `/deployments/${id}`, body),
    done: () => ({ to: `${page}?done=saved` }),
  });
};

export const rotateDeployment: Handler = async (visit) => {
  const { id, name } = await read(visit);
  const page = pageAt`/deployments/${id}`;
  return confirmPage<View & { key: string }>(visit, {
    title: `Draw a new key for “${name}”?`,
    under: [...under, [page, name]],
    lead: <p>The key that is in use now stops at once: whatever has it gets nothing until it has the new one.</p>,
    action: "Draw a new key",
    isDangerous: true,
    cancel: page,
    send: () => visit.api.send("POST", `/deployments/${id}/rotate`),
    done: made,
  });
};

export const deleteDeployment: Handler = async (visit) => {
  const { id, name } = await read(visit);
  return deletePage(visit, {
    what: "the deployment",
    name,
    under,
    path: `/deployments/${id}`,
    page: pageAt`/deployments/${id}`,
    list,
    consequence: "Its key stops at once: whatever has it gets nothing any more.",
  });
};
