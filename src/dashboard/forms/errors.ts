/** What the API refused a form with, by the control that it is about. */
import { type ManagementCode, problems } from "../../model/problem.ts";
import type { Refusal } from "../api.ts";

export interface Errors {
  /** By control. */
  at: Map<string, string>;
  /** What is about none. */
  rest: string[];
}

export const noErrors: Errors = { at: new Map(), rest: [] };

/** Codes whose message names no field, and which one they are about. */
const fieldOfCode: readonly (readonly [RegExp, string])[] = [
  [/_name_taken$/, "name"],
  [/_key_taken$/, "key"],
  [/^experiment_(missing_|multiple_|incomplete_|duplicate_|invalid_allocation)|^too_many_allocations$/, "allocations"],
  [/levels?$/, "levels"],
  [/^invalid_members$/, "members"],
];

/**
 * @param controls names of all there are
 * @param places where the API's paths differ from the controls' names
 */
export function errorsOf(
  { code, message }: Refusal,
  controls: readonly string[],
  places: readonly (readonly [string, string])[],
): Errors {
  const errors: Errors = { at: new Map(), rest: [] };
  const add = (control: string, reason: string) => {
    const before = errors.at.get(control);
    errors.at.set(control, before === undefined ? reason : `${before}; ${reason}`);
  };
  const [, field] = fieldOfCode.find(([pattern]) => pattern.test(code)) ?? [];
  const told = field === undefined ? undefined : controlOf(field, controls, []);
  if (told !== undefined) {
    add(told, message);
    return errors;
  }
  const { title = "" } = problems[code as ManagementCode] ?? {};
  const detail = message.startsWith(title) ? message.slice(title.length).trim() : message;
  let last: string | undefined;
  for (const part of detail.replace(/\.$/, "").split("; ")) {
    const [, path, reason = ""] = /^([\w$-]+(?:[\w$.[\]-]|\["[^"]*"\])*): (.+)$/s.exec(part) ?? [];
    const control = path === undefined ? undefined : controlOf(path, controls, places);
    if (control !== undefined) {
      add(control, reason);
      last = control;
    } else if (path !== undefined) errors.rest.push(part);
    // A reason may hold a semicolon itself.
    else if (last !== undefined) add(last, part);
  }
  return errors.at.size > 0 ? errors : { at: new Map(), rest: [message] };
}

/** The control that a path leads to, or the first one under it. */
function controlOf(
  path: string,
  controls: readonly string[],
  places: readonly (readonly [string, string])[],
): string | undefined {
  const isUnder = (name: string, of: string) =>
    name === of || (name.startsWith(of) && /^[.[]/.test(name.slice(of.length)));
  const [from = "", to = ""] =
    [...places].sort(([a], [b]) => b.length - a.length).find(([one]) => isUnder(path, one)) ?? [];
  const name = to + path.slice(from.length);
  const above = controls.filter((control) => isUnder(name, control)).sort((a, b) => b.length - a.length)[0];
  return above ?? controls.find((control) => isUnder(control, name));
}
