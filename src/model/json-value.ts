/** Values of parameters and overrides: anything JSON can say, up to 1 KB of it. */
import * as v from "valibot";

const maxBytes = 1024;
const encoder = new TextEncoder();

/** Of any size; whether it is too large is asked apart, where that has an answer of its own. */
export const anyJsonSchema = v.pipe(v.unknown(), v.check(isJson, "must be a JSON value, numbers finite"));

export const jsonValueSchema = v.pipe(
  anyJsonSchema,
  v.check((input) => !isTooLarge(input), "must not exceed 1 KB as JSON"),
);

/** @param value of JSON */
export function isTooLarge(value: unknown): boolean {
  return encoder.encode(JSON.stringify(value)).length > maxBytes;
}

/** Whether two values of JSON say the same; the order of an object's members says nothing. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null) return one === other;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const members = Object.entries(one);
  return (
    members.length === Object.keys(other).length &&
    members.every(
      ([name, value]) => Object.hasOwn(other, name) && isSameJson(value, (other as Record<string, unknown>)[name]),
    )
  );
}

/** Without recursion: how deep a body is nested is its sender's choice. */
function isJson(value: unknown): boolean {
  const waiting = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next === "object") for (const inner of Object.values(next ?? {})) waiting.push(inner);
    else if (typeof next === "number" ? !Number.isFinite(next) : typeof next !== "string" && typeof next !== "boolean")
      return false;
  }
  return true;
}
