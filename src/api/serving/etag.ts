/** Whether a client has an answer already. */
import { createHash } from "node:crypto";

/** 128 bits: two answers do not meet by chance. */
const digestLength = 22;
/** Longer lists are nobody's. */
const longestHeader = 8_192;

/**
 * Of an answer and all it was made from: what a client asked with, the order of its names aside. An answer to another
 * question is another, though it may say the same: a client that has changed its user must not be told "not modified".
 */
export function etagOf(question: unknown, answer: string): string {
  const digest = createHash("sha256")
    .update(`${canonical(question)}\n${answer}`)
    .digest("base64url");
  return `"${digest.slice(0, digestLength)}"`;
}

/** RFC 9110, section 13.1.2; compared weakly, as what compresses an answer on its way may weaken its tag. */
export function hasEtag({ headers }: Pick<Request, "headers">, etag: string): boolean {
  const given = headers.get("if-none-match");
  if (given === null || given.length > longestHeader) return false;
  return given.trim() === "*" || given.match(/"[^"]*"/g)?.includes(etag) === true;
}

/** JSON whose names stand in one order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
      : each,
  );
}
