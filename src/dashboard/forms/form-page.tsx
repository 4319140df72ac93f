/** The way of a form: shown, grown by rows, read, sent, shown again with what was wrong, or done. */
import type { Child } from "hono/jsx";
import { isSameJson } from "../../model/json-value.ts";
import type { Outcome } from "../api.ts";
import { Head } from "../parts/head.tsx";
import type { Reply, Visit } from "../visit.ts";
import { type Errors, errorsOf, noErrors } from "./errors.ts";
import type { Field } from "./field.ts";
import { controlsOf, rowsShown } from "./fields.tsx";
import { Form } from "./form.tsx";
import { type Json, type Read, readForm } from "./read-form.ts";
import { withoutRow } from "./values.ts";

export interface FormPage<Item> {
  title: string;
  /** Where the page stands: address and name of what is above it. */
  under: readonly (readonly [string, string])[];
  lead?: Child;
  fields: readonly Field[];
  /** What it holds at first. */
  values: URLSearchParams;
  /** On the button. */
  action: string;
  /** From what was read to what the API takes, where they differ. */
  shape?: (read: Read, values: URLSearchParams) => Read;
  /** Of what exists: when it was last changed. Then only what differs is sent. */
  seen?: string;
  send(body: Json): Promise<Outcome<Item>>;
  done(item: Item): Reply;
  /** Where one goes who changes nothing. */
  cancel: string;
}

export async function formPage<Item>(visit: Visit, page: FormPage<Item>): Promise<Reply> {
  const { fields, values: initial, shape = (read: Read) => read, seen } = page;
  const { form } = visit;
  const show = (values: URLSearchParams, errors: Errors = noErrors, status = 200): Reply => ({
    title: page.title,
    status,
    body: (
      <>
        <Head title={page.title} under={page.under}>
          {page.lead}
        </Head>
        <Form
          session={visit.session}
          fields={fields}
          values={values}
          errors={errors}
          action={page.action}
          cancel={page.cancel}
          seen={seen}
        />
      </>
    ),
  });
  if (form.size === 0) return show(initial);

  const row = form.get("_add");
  if (row !== null) return show(withRow(form, row, fields));
  const removed = form.get("_remove");
  if (removed !== null) return show(withoutRow(form, removed));

  const read = shape(readForm(fields, form), form);
  if (read.faults.size > 0) return show(form, { at: read.faults, rest: [] }, 400);
  if (seen !== undefined && form.get("_seen") !== seen) {
    const rest = ["somebody has changed it meanwhile: look at it, and save once more to overwrite what you have here."];
    return show(form, { at: new Map(), rest }, 409);
  }
  const body = seen === undefined ? read.body : differing(read.body, shape(readForm(fields, initial), initial).body);
  if (seen !== undefined && Object.keys(body).length === 0) return { to: `${page.cancel}?done=unchanged` };
  const outcome = await page.send(body);
  if (outcome.ok) return page.done(outcome.body);
  const errors = errorsOf(outcome.refusal, controlsOf(fields, form), read.places);
  return show(form, errors, outcome.refusal.status);
}

/** One more row than are shown: its first control is there, and empty. */
function withRow(form: URLSearchParams, control: string, fields: readonly Field[]): URLSearchParams {
  const values = new URLSearchParams(form);
  const field = rowsAt(fields, control);
  const [first] = field?.columns ?? [];
  if (field === undefined || first === undefined) return values;
  const count = rowsShown(field, form, control);
  const inner = first.kind === "rows" ? `[0].${first.columns[0]?.name}` : "";
  values.append(`${control}[${count}].${first.name}${inner}`, "");
  return values;
}

/** The description of the rows that `control` names, in whatever row they stand. */
function rowsAt(fields: readonly Field[], control: string): (Field & { kind: "rows" }) | undefined {
  const path = control.replace(/\[\d+\]/g, "[]");
  for (const field of fields) {
    if (field.kind !== "rows") continue;
    if (field.name === path) return field;
    if (path.startsWith(`${field.name}[].`)) return rowsAt(field.columns, path.slice(field.name.length + 3));
  }
  return undefined;
}

/** The fields that are to be changed; null for one that was emptied. */
function differing(after: Record<string, Json>, before: Record<string, Json>): Record<string, Json> {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return Object.fromEntries(
    names.flatMap((name) => {
      if (name in after && name in before && isSameJson(after[name], before[name])) return [];
      return [[name, after[name] ?? null]];
    }),
  );
}
