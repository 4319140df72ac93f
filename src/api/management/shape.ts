/** Text from a form, given the types that a schema asks for. What does not fit stays text, for the schema to refuse. */
import * as v from "valibot";
import { pathText } from "./issues.ts";
import { parseJson } from "./parse-json.ts";

/** All values of one name, or what stood in brackets after it. */
export type Tree = string[] | Map<string, Tree>;

/** What of a valibot schema says how a value is to be read. */
export interface Shape {
  kind?: string;
  type: string;
  pipe?: readonly Shape[];
  wrapped?: Shape;
  item?: Shape;
  value?: Shape;
  entries?: Readonly<Record<string, Shape>>;
  options?: readonly unknown[];
}

export type Path = readonly (string | number)[];

const anything: Shape = { type: "unknown" };
/** As the parameters of a feature flag declare their types. */
const declared = new Map<string, Shape>([
  ["string", { type: "string" }],
  ["number", { type: "number" }],
  ["boolean", { type: "boolean" }],
  ["array", { type: "array", item: anything }],
  ["object", { type: "record", value: anything }],
]);

/** What a pipe ends in; a schema that is none, itself. */
export function endOf(schema: Shape): Shape {
  const last = schema.pipe?.findLast(({ kind, type, pipe }) => kind === "schema" && (type !== "unknown" || pipe));
  return last === undefined ? schema : endOf(last);
}

export function isObjectShape({ type }: Shape): boolean {
  return type === "record" || type.endsWith("object");
}

export function shape(schema: Shape, tree: Tree, path: Path): unknown {
  const end = endOf(schema);
  const { type, wrapped } = end;
  if (wrapped !== undefined) {
    const isNull = type.startsWith("null") && Array.isArray(tree) && tree.join() === "";
    return isNull ? null : shape(wrapped, tree, path);
  }
  if (type === "union" || type === "variant") return shapeOption(end.options as Shape[], tree, path);
  if (type === "array") return shapeList(end.item ?? anything, tree, path);
  if (isObjectShape(end)) return shapeObject(end, tree, path);
  return Array.isArray(tree) ? shapeScalar(type, tree) : shapeMembers(tree, path);
}

/** As the first option that takes it; else as one that is of its kind, whose faults are then told. */
function shapeOption(options: readonly Shape[], tree: Tree, path: Path): unknown {
  const isObjectText = Array.isArray(tree) && tree.join().startsWith("{");
  const objects = options.filter((option) => isObjectShape(endOf(option)));
  for (const option of isObjectText && objects.length > 0 ? objects : options) {
    const value = shape(option, tree, path);
    if (v.safeParse(option as unknown as v.GenericSchema, value).success) return value;
  }
  return Array.isArray(tree) ? shape(anything, tree, path) : shapeMembers(tree, path);
}

function shapeList(item: Shape, tree: Tree, path: Path): unknown {
  if (Array.isArray(tree)) {
    const [text = ""] = tree;
    if (tree.length === 1 && text.startsWith("[")) return parseJson(text, pathText(path));
    return tree.map((one, index) => shape(item, [one], [...path, index]));
  }
  if (![...tree.keys()].every((key) => /^\d+$/.test(key))) return shapeMembers(tree, path);
  // Numbers say the order only: a list has no gaps, whatever a form counts from.
  return [...tree]
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, one], index) => shape(item, one, [...path, index]));
}

function shapeObject({ entries, value }: Shape, tree: Tree, path: Path): unknown {
  if (Array.isArray(tree)) return tree.length === 1 ? parseJson(tree[0] as string, pathText(path)) : tree;
  const type = tree.get("type");
  // A parameter's value is of whatever type stands beside it.
  const beside = entries?.type && Array.isArray(type) ? declared.get(type.join()) : undefined;
  return Object.fromEntries(
    [...tree].map(([name, member]) => {
      const own = entries !== undefined && Object.hasOwn(entries, name) ? entries[name] : value;
      const as = (name === "value" && beside) || own || anything;
      return [name, shape(as, member, [...path, name])];
    }),
  );
}

function shapeMembers(tree: Map<string, Tree>, path: Path): unknown {
  const isList = [...tree.keys()].every((key, index) => key === String(index));
  return isList ? shapeList(anything, tree, path) : shapeObject({ type: "record", value: anything }, tree, path);
}

function shapeScalar(type: string, values: string[]): unknown {
  const [text = ""] = values;
  if (values.length > 1) return values;
  if (type === "number") return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
  if (type === "boolean") return text === "true" || text === "false" ? text === "true" : text;
  if (type !== "unknown" && type !== "any") return text;
  // No schema says what this is: JSON where it reads as JSON, such as 5, true, "5" or [1], and text otherwise.
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}
