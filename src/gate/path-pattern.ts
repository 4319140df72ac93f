/**
 * Path patterns of presets and tenants, and the spelling of paths that they are held against. No regular expression is made
 * of a pattern: visitors choose the path, so matching takes at most path length × pattern length steps.
 */

type Matcher = (text: string) => boolean;

/** `*` stands for anything; the parts between are searched from the left, which is enough for a single kind of wildcard. */
function compileSegment(pattern: string): Matcher {
  const [first = "", ...rest] = pattern.split(/\*+/);
  const last = rest.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    let from = first.length;
    for (const part of rest) {
      const at = text.indexOf(part, from);
      if (at < 0) return false;
      from = at + part.length;
    }
    return from <= text.length - last.length;
  };
}

/** `null` is `**`: any number of segments. After a mismatch only the last `**` takes one segment more. */
function matchSegments(pattern: readonly (Matcher | null)[], segments: readonly string[]): boolean {
  let at = 0;
  let next = 0;
  let retryPattern = -1;
  let retrySegment = 0;
  while (next < segments.length) {
    const matcher = pattern[at];
    if (matcher === null) {
      retryPattern = ++at;
      retrySegment = next;
    } else if (matcher?.(segments[next] ?? "")) {
      at++;
      next++;
    } else if (retryPattern >= 0) {
      at = retryPattern;
      next = ++retrySegment;
    } else return false;
  }
  while (pattern[at] === null) at++;
  return at === pattern.length;
}

/** A path as patterns are held against it, parsed once for all of them. */
export interface ParsedPath {
  lower: string;
  /** Each way to divide it into segments: with and without the empty one after a trailing slash. */
  divisions: readonly (readonly string[])[];
}

/** No page has a longer path. */
const maxPathLength = 2_048;
/** A servlet container writes it into the addresses of its first page, while it cannot know whether cookies are kept. */
const servletSession = /;jsessionid=[^/;]*/i;
/** The path of which no pattern is right. */
export const noPath: ParsedPath = { lower: "", divisions: [] };

/** @param pathname as the request has it; it is read as the origin will read it */
export function parsePath(pathname: string): ParsedPath {
  if (pathname.length > maxPathLength) return noPath;
  const lower = normalizePath(pathname.replace(servletSession, "")).toLowerCase();
  const segments = lower.split("/").slice(1);
  const isSlashed = segments.length > 1 && segments.at(-1) === "";
  return { lower, divisions: isSlashed ? [segments, segments.slice(0, -1)] : [segments] };
}

/**
 * `*` stands for anything within a segment, `**` for any number of segments. Letter case and a trailing slash make no
 * difference.
 */
export function compilePathPattern(pattern: string): (path: ParsedPath) => boolean {
  // As a URL spells it.
  const lower = pattern.replace(/[^\x21-\x7e]+/g, (part) => encodeURIComponent(part.toWellFormed())).toLowerCase();
  const text = lower.length > 1 && lower.endsWith("/") ? lower.slice(0, -1) : lower;
  const wildcardAt = text.indexOf("*");
  if (wildcardAt < 0) return (path) => path.lower === text || path.lower === `${text}/`;
  // Up to the slash before the first wildcard, which a trailing `**` does not need.
  const prefix = text.slice(0, text.lastIndexOf("/", wildcardAt));
  const segments = text
    .split("/")
    .slice(1)
    .map((segment) => (segment === "**" ? null : compileSegment(segment)));
  return ({ lower, divisions }) =>
    lower.startsWith(prefix) && divisions.some((division) => matchSegments(segments, division));
}

const unreserved = /^[A-Za-z0-9._~-]$/;

/**
 * The path as the origin reads it: unreserved characters decoded (RFC 3986 §6.2.2.2) and dot segments resolved, those with
 * encoded dots too. A slash that is encoded or doubled stays.
 */
export function normalizePath(pathname: string): string {
  if (!/[%\\]|\/\./.test(pathname)) return pathname;
  const decoded = pathname.replaceAll("\\", "/").replace(/%([2-7][0-9a-f])/gi, (whole, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return unreserved.test(character) ? character : whole;
  });
  if (!decoded.includes("/.")) return decoded;
  const kept: string[] = [];
  const segments = decoded.split("/").slice(1);
  for (const [index, segment] of segments.entries()) {
    if (segment === "..") kept.pop();
    else if (segment !== ".") kept.push(segment);
    if (index === segments.length - 1 && (segment === "." || segment === "..")) kept.push("");
  }
  return `/${kept.join("/")}`;
}
