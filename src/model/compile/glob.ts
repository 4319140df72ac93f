/** `glob match`, which the engine does not know: `*` is any text, `?` any one UTF-16 unit, all else itself, case and all. */
import type { Condition } from "../../engine/flag.ts";
import { literal } from "./segment-conditions.ts";

/** `condition` in the engine's operators: a glob becomes a regular expression, all else stays as it is. */
export function withoutGlob(condition: Condition): Condition {
  if (condition.op !== "glob match") return condition;
  return { ...condition, op: "regex match", values: condition.values.map(globPattern) };
}

function globPattern(glob: string): string {
  const parts = glob.split(/(\*+|\?)/).map((part) => {
    if (part.startsWith("*")) return "[^]*";
    return part === "?" ? "[^]" : literal(part);
  });
  // An end that may be any text needs no anchor, and without one longer values can be matched.
  return `^${parts.join("")}$`.replace(/^\^\[\^\]\*/, "").replace(/\[\^\]\*\$$/, "");
}
