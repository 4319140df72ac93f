/** The model's schemas as JSON Schema. What JSON Schema cannot say of them is said in words. */
import { type ConversionConfig, toJsonSchema, toJsonSchemaDefs } from "@valibot/to-json-schema";
import type * as v from "valibot";

export type JsonSchema = { [keyword: string]: unknown };
type Schemas = Readonly<Record<string, v.GenericSchema>>;

/** Actions that leave nothing to say: JSON knows no other numbers, and what a value becomes later is ours. */
const silent = ["finite", "transform", "raw_transform", "brand", "readonly"];
/** Messages that say no more than the type that stands beside them. */
const saidByType = /^must be (an object, not a list|a JSON value|a time such as)/;
/** Actions whose message is all that can be told. */
const worded = ["check", "raw_check", "partial_check", "check_items", "max_bytes", "some_item", "every_item"];

const config: ConversionConfig = {
  target: "draft-2020-12",
  // Pipes of several schemas are refused otherwise; what else is refused is thrown below.
  errorMode: "ignore",
  ignoreActions: silent,
  overrideRef: ({ referenceId }) => referenceTo(referenceId),
  overrideAction({ valibotAction, jsonSchema, errors }) {
    if (errors === undefined) return undefined;
    const { requirement } = valibotAction as { requirement?: unknown };
    // JSON Schema counts code points, and nothing else.
    if (valibotAction.type === "min_code_points") return { ...jsonSchema, minLength: requirement as number };
    if (valibotAction.type === "max_code_points") return { ...jsonSchema, maxLength: requirement as number };
    if (!worded.includes(valibotAction.type)) throw new Error(errors.join(" "));
    const { message } = valibotAction as { message?: unknown };
    if (typeof message !== "string" || saidByType.test(message)) return { ...jsonSchema };
    return { ...jsonSchema, description: said(jsonSchema.description, message) };
  },
  overrideSchema({ errors }) {
    if (errors !== undefined) throw new Error(errors.join(" "));
    return undefined;
  },
};

export function referenceTo(name: string): string {
  return `#/components/schemas/${name}`;
}

/** Every schema of `components` by its name; where one holds another, it refers to it. */
export function componentsOf(components: Schemas): Record<string, JsonSchema> {
  const definitions = toJsonSchemaDefs(components, config) as Record<string, JsonSchema>;
  return Object.fromEntries(Object.entries(definitions).map(([name, schema]) => [name, tidied(schema)]));
}

/** One schema, referring to `components` where it holds one of them or is one. */
export function schemaOf(schema: v.GenericSchema, components: Schemas): JsonSchema {
  const { $schema: _, $defs: __, ...rest } = toJsonSchema(schema, { ...config, definitions: { ...components } });
  return tidied(rest as JsonSchema);
}

function said(before: unknown, message: string): string {
  const sentence = message.startsWith("must ")
    ? `It ${message}.`
    : `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
  return before === undefined ? sentence : `${before} ${sentence}`;
}

/** Without what says nothing. */
function tidied<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(tidied) as Value;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(
    ([keyword, inner]) => !(keyword === "required" && Array.isArray(inner) && inner.length === 0),
  );
  return Object.fromEntries(entries.map(([keyword, inner]) => [keyword, tidied(inner)])) as Value;
}
