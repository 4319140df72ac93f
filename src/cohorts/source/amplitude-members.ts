/** Amplitude's cohort JSON: an object of small fields with all members in one, `memberIds`, most often the last. */
import type { ArrayForm } from "./json-array.ts";
import { describeText } from "./json-elements.ts";
import { SourceError } from "./source-error.ts";

/** @param learn told what `lastModified` says, for the next conditional request */
export function amplitudeForm(learn: (lastModified: number) => void): ArrayForm {
  return {
    findStart(before) {
      const text = before.trimStart();
      if (text === "" || text.startsWith("{")) return findMembers(before);
      throw new SourceError("syntax", `must be an object with "memberIds"; ${describeText(text)}`);
    },
    check(before, after) {
      const { size, memberIds, groupType, lastModified } = parseObject(`${before}${after ?? ""}`);
      // An empty list is null to some.
      const isEmpty = size === 0 && (memberIds ?? null) === null;
      if (after === null && !isEmpty) throw new SourceError("syntax", 'no array "memberIds"');
      // The ids of a group's cohort are not subjects': nobody would ever be in it.
      if (typeof groupType === "string" && groupType.toLowerCase() !== "user") {
        throw new SourceError("syntax", `groupType must be "User", not ${JSON.stringify(groupType.slice(0, 80))}`);
      }
      if (typeof lastModified === "number" && Number.isSafeInteger(lastModified)) learn(lastModified);
    },
  };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new SourceError("syntax", 'what stands around "memberIds" is not a JSON object');
}

function findMembers(text: string): number | null {
  let depth = 0;
  let key: string | null = null;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      let end = at + 1;
      while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
      if (end >= text.length) return null;
      if (depth === 1 && key === null) key = text.slice(at + 1, end);
      at = end;
    } else if (character === "[" && depth === 1 && key === "memberIds") return at + 1;
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    else if (character === "," && depth === 1) key = null;
  }
  return null;
}
