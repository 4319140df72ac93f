/** From what a form holds to what the API takes, and from where the API finds a fault back to the control. */
import type { Field } from "./field.ts";
import { countRows } from "./values.ts";

// biome-ignore lint/suspicious/noExplicitAny: of any shape; the API checks it.
export type Json = any;

export interface Read {
  body: Record<string, Json>;
  /** By control, what is wrong before anybody is asked. */
  faults: Map<string, string>;
  /** Where the API's paths differ from the controls' names: path, control. */
  places: [string, string][];
}

interface Reading {
  values: URLSearchParams;
  faults: Map<string, string>;
  places: [string, string][];
}

export function readForm(fields: readonly Field[], values: URLSearchParams): Read {
  const reading: Reading = { values, faults: new Map(), places: [] };
  return { body: readFields(fields, "", reading), ...reading };
}

function readFields(fields: readonly Field[], prefix: string, reading: Reading): Record<string, Json> {
  const body: Record<string, Json> = {};
  for (const field of fields) {
    const value = readField(field, prefix, reading);
    if (value !== undefined) setAt(body, field.name, value);
  }
  return body;
}

/** `source.url` is a field in an object of its own. */
function setAt(body: Record<string, Json>, name: string, value: Json): void {
  const [first = "", ...rest] = name.split(".");
  if (rest.length === 0) {
    body[first] = value;
    return;
  }
  body[first] ??= {};
  setAt(body[first], rest.join("."), value);
}

function readField(field: Field, prefix: string, reading: Reading): Json {
  const { values, faults } = reading;
  const control = prefix + field.name;
  const text = (values.get(control) ?? "").replaceAll("\r\n", "\n");
  switch (field.kind) {
    case "check":
      return values.has(control);
    case "checks":
      return values
        .getAll(control)
        .flatMap((value) => value.split("\n"))
        .filter(Boolean);
    case "lines": {
      const lines = text.split("\n").flatMap((line) => line.trim() || []);
      return lines.length === 0 && field.optional ? undefined : lines;
    }
    case "rows":
      return readRows(field, control, reading);
    case "number":
      if (text.trim() === "" && field.optional) return undefined;
      // What is no number is sent as it is: the API says so in its own words.
      return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
    case "value": {
      const type = field.type ?? values.get(`${prefix}${field.typeField}`) ?? "string";
      return readValue(text, type, (fault) => faults.set(control, fault));
    }
    case "json":
      if (text.trim() === "" && field.optional) return undefined;
      return parseJson(text, (fault) => faults.set(control, fault));
    default:
      return text.trim() === "" && "optional" in field && field.optional ? undefined : text.trim();
  }
}

/** A row in which nothing was written is none. */
function readRows(field: Field & { kind: "rows" }, control: string, reading: Reading): Json[] {
  const rows: Json[] = [];
  const { keys, columns } = field;
  for (let place = 0; place < (keys?.length ?? countRows(reading.values, control)); place++) {
    const row = `${control}[${place}]`;
    if (keys === undefined && isBlank(columns, row, reading.values)) continue;
    reading.places.push([`${control}[${rows.length}]`, row]);
    // Whose row it was when it was shown, whatever has been added or taken away since.
    const own = keys === undefined ? {} : { key: reading.values.get(`${row}.key`) ?? keys[place] };
    rows.push({ ...own, ...readFields(columns, `${row}.`, reading) });
  }
  return rows;
}

/** Choices always hold something: they make no row. */
function isBlank(columns: readonly Field[], row: string, values: URLSearchParams): boolean {
  return columns.every((column) => {
    const control = `${row}.${column.name}`;
    if (column.kind === "rows") {
      const count = column.keys?.length ?? countRows(values, control);
      return Array.from({ length: count }, (_, place) => `${control}[${place}]`).every((inner) =>
        isBlank(column.columns, inner, values),
      );
    }
    if (column.kind === "choice" && column.empty === undefined) return true;
    return (values.get(control) ?? "").trim() === "";
  });
}

function readValue(text: string, type: string, fault: (message: string) => void): Json {
  if (type === "string") return text;
  if (type === "number") return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
  if (type === "boolean") return text.trim() === "true" ? true : text.trim() === "false" ? false : text;
  return parseJson(text, fault);
}

function parseJson(text: string, fault: (message: string) => void): Json {
  try {
    return JSON.parse(text);
  } catch (error) {
    fault(`must be JSON (${error instanceof Error ? error.message : error})`);
    return undefined;
  }
}
