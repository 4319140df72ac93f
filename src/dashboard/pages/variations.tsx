/** Variations of a feature flag: what differs for whoever gets one. */
import type { FeatureFlag } from "../../model/feature-flag.ts";
import { isSameJson } from "../../model/json-value.ts";
import type { Variation } from "../../model/variation.ts";
import { pageAt } from "../address.ts";
import { deletePage } from "../forms/confirm-page.tsx";
import { descriptionField, type Field, nameField } from "../forms/field.ts";
import { formPage } from "../forms/form-page.tsx";
import { memberPath } from "../forms/keyed.ts";
import type { Read } from "../forms/read-form.ts";
import { valuesOf } from "../forms/values.ts";
import type { Handler, Visit } from "../visit.ts";
import { readFlag, under } from "./flag.tsx";

const keyField: Field = {
  kind: "text",
  name: "key",
  label: "Key",
  hint: "What SDKs know it by. The name gives it unless set; it cannot be changed later.",
  optional: true,
};

const textOf = (type: string, value: unknown): string =>
  type === "string" && typeof value === "string" ? value : JSON.stringify(value);

/** A field for each parameter, and the values that hold without the variation. */
function overridesOf(flag: FeatureFlag, overrides: Variation["overrides"] = {}) {
  const parameters = Object.entries(flag.parameters ?? {});
  const fields: Field[] = parameters.map(([name, { type, value, description }], place) => ({
    kind: "value",
    name: `values[${place}]`,
    label: name,
    hint: `${description ? `${description}. ` : ""}${type}; without this variation: ${textOf(type, value) || "(empty)"}`,
    type,
  }));
  const values = parameters.map(([name, { type, value }], place) => {
    const override = Object.hasOwn(overrides, name) ? overrides[name] : undefined;
    return [`values[${place}]`, textOf(type, override === undefined ? value : override.value)];
  });
  /** What is as it is anyway is no override. */
  const shape = ({ body, faults, places }: Read): Read => {
    const { name, description, key } = body;
    const own: [string, { value: unknown }][] = [];
    const paths: [string, string][] = [];
    parameters.forEach(([parameter, { value }], place) => {
      const given = body[`values[${place}]`];
      paths.push([`overrides${memberPath(parameter)}`, `values[${place}]`]);
      if (given !== undefined && !isSameJson(given, value)) own.push([parameter, { value: given }]);
    });
    return {
      body: { name, ...(description && { description }), ...(key && { key }), overrides: Object.fromEntries(own) },
      faults,
      places: [...paths, ...places],
    };
  };
  return { fields, values: values as [string, string][], shape };
}

const lead = (
  <p class="quiet">
    Change the parameters that are to differ. A variation may differ in nothing: that makes a control.
  </p>
);

export const newVariation: Handler = async (visit) => {
  const flag = await readFlag(visit);
  const page = pageAt`/flags/${flag.id}`;
  const { fields, values, shape } = overridesOf(flag);
  return formPage<Variation>(visit, {
    title: "New variation",
    under: [...under, [page, flag.name]],
    lead,
    fields: [nameField, ...fields, descriptionField, keyField],
    values: new URLSearchParams(values),
    action: "Make the variation",
    shape,
    cancel: page,
    send: (body) => visit.api.send("POST", `/feature-flags/${flag.id}/variations`, body),
    done: () => ({ to: `${page}?done=made` }),
  });
};

const read = ({ api, params }: Visit, flag: FeatureFlag) =>
  api.get<Variation>(`/feature-flags/${flag.id}/variations/${encodeURIComponent(params.vid ?? "")}`);

export const editVariation: Handler = async (visit) => {
  const flag = await readFlag(visit);
  const variation = await read(visit, flag);
  const page = pageAt`/flags/${flag.id}`;
  const { fields, values, shape } = overridesOf(flag, variation.overrides);
  const { name, description, updated_at } = variation;
  return formPage<Variation>(visit, {
    title: `Edit “${name}”`,
    under: [...under, [page, flag.name]],
    lead,
    fields: [nameField, ...fields, descriptionField],
    values: new URLSearchParams([...valuesOf({ name, description }), ...values]),
    action: "Save",
    shape,
    seen: updated_at,
    cancel: page,
    send: (body) => visit.api.send("PATCH", `/feature-flags/${flag.id}/variations/${variation.id}`, body),
    done: () => ({ to: `${page}?done=saved` }),
  });
};

export const deleteVariation: Handler = async (visit) => {
  const flag = await readFlag(visit);
  const { id, name } = await read(visit, flag);
  const page = pageAt`/flags/${flag.id}`;
  return deletePage(visit, {
    what: "the variation",
    name,
    under: [...under, [page, flag.name]],
    path: `/feature-flags/${flag.id}/variations/${id}`,
    page,
    list: page,
    consequence: "It is gone for good. While an experiment or a rollout gives it to somebody, it cannot be deleted.",
  });
};
