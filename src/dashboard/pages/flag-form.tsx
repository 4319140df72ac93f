/** Makes and changes feature flags. */
import { type Deployment, gateDeployment } from "../../model/deployment.ts";
import type { FeatureFlag } from "../../model/feature-flag.ts";
import { pageAt } from "../address.ts";
import { choices, descriptionField, type Field, named, nameField, type Option } from "../forms/field.ts";
import { formPage } from "../forms/form-page.tsx";
import { keyed } from "../forms/keyed.ts";
import type { Read } from "../forms/read-form.ts";
import { valuesOf } from "../forms/values.ts";
import { listsUnder } from "../parts/head.tsx";
import type { Handler, Visit } from "../visit.ts";
import { readFlag, under } from "./flag.tsx";

const types = ["string", "boolean", "number", "array", "object"];

const keyField: Field = {
  kind: "text",
  name: "key",
  label: "Key",
  hint: "What SDKs and other flags know it by, such as login_page. The name gives it unless set; it cannot be changed later.",
  optional: true,
};

function fieldsOf(deployments: readonly Option[]): Field[] {
  return [
    {
      kind: "rows",
      name: "parameters",
      label: "Parameters",
      hint: "What the page reads, with the values that hold unless a variation overrides them: one to ten.",
      one: "parameter",
      least: 1,
      columns: [
        { kind: "text", name: "name", label: "Name" },
        { kind: "choice", name: "type", label: "Type", options: choices(types) },
        { kind: "value", name: "value", label: "Value", typeField: "type" },
        { kind: "text", name: "description", label: "Meaning", optional: true },
      ],
    },
    {
      kind: "checks",
      name: "deployments",
      label: "Deployments",
      hint: "Where the flag is enabled: on login pages behind the gate, and for apps that fetch with a deployment's key.",
      options: deployments,
    },
  ];
}

const shape = (read: Read): Read => keyed(read, "parameters", ({ name = "", ...parameter }) => [name, parameter]);

async function deploymentOptions({ api }: Visit): Promise<Option[]> {
  const { items } = await api.all<Deployment>("/deployments", "deployments");
  return [{ value: gateDeployment, label: "Gate (login pages)" }, ...named(items)];
}

export const newFlag: Handler = async (visit) =>
  formPage<FeatureFlag>(visit, {
    title: "New feature flag",
    under,
    fields: [nameField, descriptionField, keyField, ...fieldsOf(await deploymentOptions(visit))],
    values: new URLSearchParams({ deployments: gateDeployment }),
    action: "Make the feature flag",
    shape,
    cancel: listsUnder.flags[0],
    send: (body) => visit.api.send("POST", "/feature-flags", body),
    done: ({ id }) => ({ to: `${pageAt`/flags/${id}`}?done=made` }),
  });

export const editFlag: Handler = async (visit) => {
  const [{ id, name, description, parameters = {}, deployments, updated_at }, options] = await Promise.all([
    readFlag(visit),
    deploymentOptions(visit),
  ]);
  const page = pageAt`/flags/${id}`;
  const rows = Object.entries(parameters).map(([parameter, { type, value, description: meaning }]) => ({
    name: parameter,
    type,
    value: typeof value === "string" && type === "string" ? value : JSON.stringify(value),
    description: meaning,
  }));
  return formPage<FeatureFlag>(visit, {
    title: `Edit “${name}”`,
    under: [...under, [page, name]],
    fields: [nameField, descriptionField, ...fieldsOf(options)],
    values: valuesOf({ name, description, parameters: rows, deployments }),
    action: "Save",
    shape,
    seen: updated_at,
    cancel: page,
    send: (body) => visit.api.send("PATCH", `/feature-flags/${id}`, body),
    done: () => ({ to: `${page}?done=saved` }),
  });
};
