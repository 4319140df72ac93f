/** What is wrong with a file, and where. */
import type * as v from "valibot";

export interface ConfigurationProblem {
  /** Such as `feature_flags[0].variations[1].name`; empty for the file as a whole. */
  path: string;
  /** What is wrong and what would be right. */
  message: string;
}

export type Report = (path: string, message: string) => void;

export function problemOf(issue: v.BaseIssue<unknown>): ConfigurationProblem {
  const path = (issue.path ?? []).reduce(
    (text, { key }) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${key}`),
    "",
  );
  return { path, message: messageOf(issue) };
}

/** Most schemas word what a value must be; the rest is said alike for all. */
function messageOf(issue: v.BaseIssue<unknown>): string {
  if (!issue.message.startsWith("Invalid ")) return issue.message;
  if (issue.type === "strict_object" && issue.expected === "never") return "is not a known property";
  if (issue.type.endsWith("object") && issue.expected !== "Object") return "is missing";
  return `must be ${issue.expected === "Object" ? "an object" : issue.expected}, not ${issue.received}`;
}
