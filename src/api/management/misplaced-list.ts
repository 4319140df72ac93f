/** What valibot's objects and records let by: a list, which is an object without the fields that need not be there. */
import { endOf, isObjectShape, type Path, type Shape } from "./shape.ts";

/** Where `value` holds a list and the schema wants an object; undefined where it does not. */
export function findMisplacedList(schema: Shape, value: unknown): Path | undefined {
  return find(schema, value)?.reverse();
}

/** The path comes innermost first, so that none is made for what is right. */
function find(schema: Shape, value: unknown): (string | number)[] | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const end = endOf(schema);
  if (end.wrapped !== undefined) return find(end.wrapped, value);
  if (Array.isArray(value)) {
    const isChoice = end.type === "union" || end.type === "variant";
    const choices = isChoice ? (end.options as Shape[]).map(endOf) : [end];
    return choices.every(isObjectShape) ? [] : findInList(end.item, value);
  }
  // What an object's schema does not know, it refuses anyway.
  for (const name of Object.keys(end.entries ?? (end.value ? value : {}))) {
    const of = end.entries?.[name] ?? end.value;
    const path = of && find(of, (value as Record<string, unknown>)[name]);
    if (path) return [...path, name];
  }
  return undefined;
}

function findInList(item: Shape | undefined, list: readonly unknown[]): (string | number)[] | undefined {
  if (item === undefined) return undefined;
  const end = endOf(item);
  for (let index = 0; index < list.length; index++) {
    const path = find(end, list[index]);
    if (path) return [...path, index];
  }
  return undefined;
}
