/** Makes and changes cohorts. */
import { cohortFormats, defaultRefreshMinutes } from "../../model/cohort.ts";
import { pageAt } from "../address.ts";
import { choices, descriptionField, type Field, nameField } from "../forms/field.ts";
import { formPage } from "../forms/form-page.tsx";
import type { Read } from "../forms/read-form.ts";
import { valuesOf } from "../forms/values.ts";
import { listsUnder } from "../parts/head.tsx";
import type { Handler } from "../visit.ts";
import { type CohortItem, readCohort, under } from "./cohorts.tsx";

const idType: Field = {
  kind: "choice",
  name: "id_type",
  label: "Its members are",
  options: choices(["user", "device"], { user: "Users", device: "Devices" }),
};

const fields: readonly Field[] = [
  {
    kind: "choice",
    name: "source.type",
    label: "They come",
    options: choices(["url", "push"], {
      url: "From an address that is fetched",
      push: "Pushed, through the API or here",
    }),
  },
  {
    kind: "text",
    name: "source.url",
    label: "Address",
    hint: "https, at a host of the setting COHORT_HOSTS. Left empty where members are pushed.",
    optional: true,
  },
  { kind: "choice", name: "source.format", label: "Format", options: choices(cohortFormats) },
  {
    kind: "text",
    name: "source.field",
    label: "Field or column of the id",
    hint: "Where a line is more than an id; id unless said.",
    short: true,
    optional: true,
  },
  { kind: "number", name: "refresh_minutes", label: "Minutes from one refresh to the next" },
  {
    kind: "choice",
    name: "credentials.type",
    label: "Credentials",
    hint: "Sent to the source, and never shown again.",
    options: choices(["basic", "bearer", "none"], {
      basic: "User name and password",
      bearer: "Bearer token",
      none: "None",
    }),
    empty: "as they are",
  },
  { kind: "text", name: "credentials.username", label: "User name", optional: true },
  { kind: "text", name: "credentials.password", label: "Password", type: "password", optional: true },
  { kind: "text", name: "credentials.token", label: "Bearer token", type: "password", optional: true },
];

/** What belongs to another choice than the one made is not sent. */
function shape({ body, ...rest }: Read): Read {
  const { source = {}, credentials: given = {}, refresh_minutes, ...own } = body;
  const { type, username = "", password = "", token = "" } = given;
  const isFetched = source.type === "url";
  const credentials =
    type === "basic"
      ? { type, username, password }
      : type === "bearer"
        ? { type, token }
        : type === "none"
          ? null
          : undefined;
  return {
    ...rest,
    body: {
      ...own,
      source: isFetched ? { url: "", ...source } : { type: source.type },
      ...(refresh_minutes === undefined ? {} : { refresh_minutes }),
      ...(isFetched && credentials !== undefined ? { credentials } : {}),
    },
  };
}

export const newCohort: Handler = (visit) =>
  formPage<CohortItem>(visit, {
    title: "New cohort",
    under,
    fields: [nameField, descriptionField, idType, ...fields],
    values: valuesOf({
      id_type: "user",
      refresh_minutes: defaultRefreshMinutes,
      source: { type: "url", format: "csv" },
      credentials: { type: "none" },
    }),
    action: "Make the cohort",
    shape: (read) => {
      const { body, ...rest } = shape(read);
      // None is what a new one has anyway.
      const { credentials, ...own } = body;
      return { ...rest, body: credentials === null ? own : body };
    },
    cancel: listsUnder.cohorts[0],
    send: (body) => visit.api.send("POST", "/cohorts", body),
    done: ({ id }) => ({ to: `${pageAt`/cohorts/${id}`}?done=made` }),
  });

export const editCohort: Handler = async (visit) => {
  const { id, name, description, source, refresh_minutes, updated_at } = await readCohort(visit);
  const page = pageAt`/cohorts/${id}`;
  return formPage<CohortItem>(visit, {
    title: `Edit “${name}”`,
    under: [...under, [page, name]],
    fields: [nameField, descriptionField, ...fields],
    values: valuesOf({ name, description, refresh_minutes, source: { format: "csv", ...source } }),
    action: "Save",
    shape,
    seen: updated_at,
    cancel: page,
    send: (body) => visit.api.send("PATCH", `/cohorts/${id}`, body),
    done: () => ({ to: `${page}?done=saved` }),
  });
};
