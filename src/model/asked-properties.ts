/** Which properties of a user a flag's own rules ask about: where they are missing, rules do not match. */
import type { Flag } from "../engine/flag.ts";

/** Path below the user, such as `["country"]` or `["user_properties", "plan"]`. */
export type PropertyPath = readonly string[];

/** Who somebody is, and what we ourselves put there, is not asked of whoever sends the properties. */
const ours: ReadonlySet<string> = new Set(["user_id", "device_id", "cohort_ids"]);
const earlierVariations = "[Experiment] ";

/** In the order of the rules, each once. */
export function askedProperties(flag: Flag): PropertyPath[] {
  const found = new Map<string, PropertyPath>();
  for (const { selector } of flag.segments.flatMap(({ conditions }) => (conditions ?? []).flat())) {
    const [root, subject, ...path] = selector;
    const [name = ""] = path;
    const isAsked = root === "context" && subject === "user" && name !== "" && !ours.has(name);
    if (isAsked && !path[1]?.startsWith(earlierVariations)) found.set(path.join("."), path);
  }
  return [...found.values()];
}

/** Whether the engine would find nothing there. */
export function lacksProperty(user: unknown, path: PropertyPath): boolean {
  let value = user;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return true;
    value = (value as Record<string, unknown>)[name];
  }
  return value === null || value === undefined;
}
