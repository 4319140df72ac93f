/** What is wrong with an input, in words: each fault with where it is and what would be right. */
import type * as v from "valibot";

const mostIssues = 10;
const longestKey = 64;

/** `allocations[0].weight`; a name that is no plain word is quoted. */
export function pathText(keys: readonly unknown[]): string {
  return keys.map(keyText).join("").replace(/^\./, "");
}

function keyText(key: unknown): string {
  if (typeof key === "number") return `[${key}]`;
  const text = String(key);
  return /^[\w$-]{1,64}$/.test(text) ? `.${text}` : `[${JSON.stringify(text.slice(0, longestKey))}]`;
}

/**
 * @param whole what a fault of the whole input is said of, such as "The body"
 * @param knownAt which fields there are beside one that is not known
 */
export function describe(
  issues: readonly v.BaseIssue<unknown>[],
  whole: string,
  knownAt: (path: readonly unknown[]) => readonly string[] | undefined,
): string {
  const shown = issues.slice(0, mostIssues).map((issue) => {
    const keys = (issue.path ?? []).map(({ key }) => key);
    const path = pathText(keys);
    const reason = reasonOf(issue, () => knownAt(keys));
    return path === "" ? `${whole} ${reason}` : `${path}: ${reason}`;
  });
  const rest = issues.length - shown.length;
  return `${[...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join("; ")}.`;
}

const kinds: Readonly<Record<string, string>> = {
  Object: "an object",
  Array: "a list",
  string: "text",
  number: "a number",
  boolean: "true or false",
  NaN: "a number",
};

/** Our schemas say what must be; this is for what they leave to valibot. */
function reasonOf(
  { kind, type, expected, received, message }: v.BaseIssue<unknown>,
  known: () => readonly string[] | undefined,
): string {
  if (kind !== "schema" || !message.startsWith("Invalid ")) return message;
  if (type.endsWith("object")) {
    if (expected === "never") {
      const fields = known();
      return fields?.length ? `is not known here, only ${fields.join(", ")}` : "is not known here";
    }
    if (expected?.startsWith('"') && received === "undefined") return "must be given";
  }
  return expected ? `must be ${kinds[expected] ?? expected}` : message;
}
