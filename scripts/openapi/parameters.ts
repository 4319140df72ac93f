/** Path and query parameters of an operation. */
import * as v from "valibot";
import { type JsonSchema, schemaOf } from "./json-schema.ts";
import { queryWords } from "./words/fields.ts";

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: true;
  description: string;
  /** Of an object whose members are parameters of their own. */
  style?: "form";
  explode?: true;
  schema: JsonSchema;
}

/** A name may mean something else in one operation. */
const wordsOf = (name: string, operation: string) => queryWords[`${operation}.${name}`] ?? queryWords[name] ?? "";

export function pathParameters(path: string): Parameter[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    description: queryWords[name] ?? "",
    schema: { type: "string" },
  }));
}

interface ObjectSchema {
  entries: Readonly<Record<string, v.GenericSchema>>;
  /** What any other name takes. */
  rest?: v.GenericSchema;
}

/** @throws when the schema is none whose entries can be told */
export function queryParameters(schema: v.GenericSchema, operation: string): Parameter[] {
  const [inner] = (schema as unknown as { pipe?: unknown[] }).pipe ?? [schema];
  const { entries, rest } = inner as Partial<ObjectSchema>;
  if (entries === undefined) throw new Error(`a query schema must be an object, not ${schema.type}`);
  const named = Object.entries(entries).map(
    ([name, entry]): Parameter => ({
      name,
      in: "query",
      ...(entry.type.endsWith("optional") ? {} : { required: true as const }),
      description: wordsOf(name, operation),
      schema: schemaOf(asSent(entry), {}),
    }),
  );
  if (rest === undefined) return named;
  return [
    ...named,
    {
      name: "attributes",
      in: "query",
      description: queryWords.attributes ?? "",
      style: "form",
      explode: true,
      schema: { type: "object", additionalProperties: schemaOf(rest, {}) },
    },
  ];
}

/** A number in a query is text of digits there; the document says what it stands for. */
function asSent(entry: v.GenericSchema): v.GenericSchema {
  const { wrapped, pipe } = entry as unknown as { wrapped?: v.GenericSchema; pipe?: v.GenericPipeItem[] };
  if (wrapped !== undefined) return asSent(wrapped);
  const at = pipe?.findIndex((item) => "operation" in item && item.operation === Number) ?? -1;
  if (pipe === undefined || at < 0) return entry;
  const actions = pipe.slice(at + 1) as v.GenericPipeItem<number, number>[];
  return v.pipe(v.number(), v.integer(), ...(actions as [v.GenericPipeAction<number, number>]));
}
