/** Controls with their labels, hints and faults. */
import type { Errors } from "./errors.ts";
import type { Field, Option } from "./field.ts";
import { countRows } from "./values.ts";

interface FieldsProps {
  fields: readonly Field[];
  values: URLSearchParams;
  errors: Errors;
  prefix?: string;
}

type OwnProps<Kind extends Field["kind"] = Field["kind"]> = Omit<FieldsProps, "fields" | "prefix"> & {
  field: Field & { kind: Kind };
  control: string;
};

/** Names hold brackets and dots, which an id may, and an address must not. */
export const idOf = (control: string): string => `f-${control.replace(/[^\w-]+/g, "-")}`;

export function Fields({ fields, prefix = "", ...rest }: FieldsProps) {
  return (
    <>
      {fields.map((field) => (
        <One field={field} control={prefix + field.name} {...rest} />
      ))}
    </>
  );
}

function One(props: OwnProps) {
  const { field } = props;
  switch (field.kind) {
    case "rows":
      return <Rows {...props} field={field} />;
    case "checks":
      return <Checks {...props} field={field} />;
    case "check":
      return <Check {...props} field={field} />;
    default:
      return <Labelled {...props} field={field} />;
  }
}

type Single = "text" | "long" | "number" | "choice" | "lines" | "value" | "json";

function Labelled({ field, control, values, errors }: OwnProps<Single>) {
  const id = idOf(control);
  const error = errors.at.get(control);
  const isWide = field.kind === "long" || field.kind === "json";
  return (
    <div class={isWide ? "field wide" : "field"}>
      <label for={id}>
        {field.label}
        {field.optional && <span class="aside"> (optional)</span>}
      </label>
      <Notes id={id} hint={field.hint} error={error} />
      <Control
        field={field}
        control={control}
        value={values.get(control) ?? ""}
        described={describedBy(id, field.hint, error)}
      />
    </div>
  );
}

interface Described {
  "aria-describedby"?: string;
  "aria-invalid"?: "true";
}

function describedBy(id: string, hint: string | undefined, error: string | undefined): Described {
  const ids = [error === undefined ? [] : `${id}-error`, hint === undefined ? [] : `${id}-hint`].flat();
  return {
    ...(ids.length > 0 ? { "aria-describedby": ids.join(" ") } : {}),
    ...(error === undefined ? {} : { "aria-invalid": "true" as const }),
  };
}

function Notes({ id, hint, error }: { id: string; hint: string | undefined; error: string | undefined }) {
  return (
    <>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </>
  );
}

interface ControlProps {
  field: Field & { kind: Single };
  control: string;
  value: string;
  described: Described;
}

function Control({ field, control, value, described }: ControlProps) {
  const common = { id: idOf(control), name: control, ...described };
  switch (field.kind) {
    case "choice":
      return (
        <select {...common}>
          {field.empty !== undefined && <option value="">{field.empty}</option>}
          {withMissing(field.options, [value]).map((option) => (
            <option value={option.value} selected={option.value === value}>
              {option.label}
            </option>
          ))}
        </select>
      );
    case "long":
      return (
        <textarea {...common} rows={2}>
          {value}
        </textarea>
      );
    case "lines":
    case "json":
      return (
        <textarea {...common} rows={field.kind === "json" ? 6 : 3} class="code" spellcheck={false}>
          {value}
        </textarea>
      );
    case "number":
      return <input {...common} class="short" inputmode="decimal" autocomplete="off" value={value} />;
    case "value":
      return <input {...common} autocomplete="off" spellcheck={false} value={value} />;
    case "text":
      return (
        <input
          {...common}
          type={field.type ?? "text"}
          class={field.short ? "short" : undefined}
          autocomplete={field.type === "password" ? "new-password" : "off"}
          placeholder={field.placeholder}
          value={value}
        />
      );
  }
}

/** What is chosen stays so, though the list of what may be chosen is too long to be whole, or leaves it out. */
function withMissing(options: readonly Option[], chosen: readonly string[]): Option[] {
  const missing = chosen.filter((one) => one !== "" && !options.some(({ value }) => value === one));
  return [...options, ...missing.map((value) => ({ value, label: value }))];
}

function Check({ field, control, values, errors }: OwnProps<"check">) {
  const id = idOf(control);
  const error = errors.at.get(control);
  return (
    <div class="field">
      <div class="choice">
        <input
          type="checkbox"
          id={id}
          name={control}
          checked={values.has(control)}
          {...describedBy(id, field.hint, error)}
        />
        <label for={id}>{field.label}</label>
      </div>
      <Notes id={id} hint={field.hint} error={error} />
    </div>
  );
}

function Checks({ field, control, values, errors }: OwnProps<"checks">) {
  const id = idOf(control);
  const error = errors.at.get(control);
  const picked = values.getAll(control).flatMap((value) => value.split("\n"));
  const options = withMissing(field.options, picked);
  return (
    <fieldset id={id} tabindex={-1} {...describedBy(id, field.hint, error)}>
      <legend>{field.label}</legend>
      <Notes id={id} hint={field.hint} error={error} />
      {options.length === 0 && <p class="quiet">There is none to choose.</p>}
      {options.map(({ value, label }) => (
        <div class="choice">
          <input type="checkbox" id={`${id}-${value}`} name={control} value={value} checked={picked.includes(value)} />
          <label for={`${id}-${value}`}>{label}</label>
        </div>
      ))}
    </fieldset>
  );
}

function Rows({ field, control, values, errors }: OwnProps<"rows">) {
  const id = idOf(control);
  const error = errors.at.get(control);
  const count = rowsShown(field, values, control);
  return (
    <fieldset class="rows wide" id={id} tabindex={-1} {...describedBy(id, field.hint, error)}>
      <legend>{field.label}</legend>
      <Notes id={id} hint={field.hint} error={error} />
      {Array.from({ length: count }, (_, place) => {
        const row = `${control}[${place}]`;
        const heading = field.heading?.(place) ?? `${capital(field.one)} ${place + 1}`;
        const [column, ...others] = field.columns;
        if (field.keys && column && others.length === 0) {
          return (
            <div class="inline" id={idOf(row)} tabindex={-1}>
              <input type="hidden" name={`${row}.key`} value={field.keys[place]} />
              <Fields
                fields={[{ ...column, label: heading, optional: false } as Field]}
                values={values}
                errors={errors}
                prefix={`${row}.`}
              />
            </div>
          );
        }
        const fault = errors.at.get(row);
        return (
          <fieldset class="row" id={idOf(row)} tabindex={-1} {...describedBy(idOf(row), undefined, fault)}>
            <legend>{heading}</legend>
            <Notes id={idOf(row)} hint={undefined} error={fault} />
            {field.keys && <input type="hidden" name={`${row}.key`} value={field.keys[place]} />}
            <Fields fields={field.columns} values={values} errors={errors} prefix={`${row}.`} />
            {!field.keys && (
              <p class="last">
                <button type="submit" class="plain" name="_remove" value={row} formnovalidate>
                  Remove {field.one}
                  <span class="unseen"> {place + 1}</span>
                </button>
              </p>
            )}
          </fieldset>
        );
      })}
      {!field.keys && (
        <p>
          <button type="submit" name="_add" value={control} formnovalidate>
            Add {field.one}
          </button>
        </p>
      )}
    </fieldset>
  );
}

export function rowsShown(
  { keys, least = 0 }: Field & { kind: "rows" },
  values: URLSearchParams,
  control: string,
): number {
  return keys?.length ?? Math.max(countRows(values, control), least);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** What people call a control: "Parameter 2, Value". */
export function labelOf(fields: readonly Field[], control: string): string {
  for (const field of fields) {
    if (control === field.name) return field.label;
    if (field.kind !== "rows" || !control.startsWith(`${field.name}[`)) continue;
    const [, digits = "", rest = ""] = /^\[(\d+)\]\.?(.*)$/.exec(control.slice(field.name.length)) ?? [];
    const place = Number(digits);
    const row = field.heading?.(place) ?? `${capital(field.one)} ${place + 1}`;
    return rest === "" ? row : `${row}, ${labelOf(field.columns, rest)}`;
  }
  return control;
}

/** Names of all controls that `Fields` shows, and of the rows they stand in. */
export function controlsOf(fields: readonly Field[], values: URLSearchParams, prefix = ""): string[] {
  return fields.flatMap((field) => {
    const control = prefix + field.name;
    if (field.kind !== "rows") return [control];
    const count = rowsShown(field, values, control);
    const rows = Array.from({ length: count }, (_, place) => `${control}[${place}]`);
    return [control, ...rows.flatMap((row) => [row, ...controlsOf(field.columns, values, `${row}.`)])];
  });
}
