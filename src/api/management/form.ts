/** Bodies as forms send them: `allocations[0][weight]=50` becomes what the schema asks for. */
import type * as v from "valibot";
import { expectPlain, refuse } from "./parse-json.ts";
import { type Shape, shape, type Tree } from "./shape.ts";

const mostPairs = 10_000;
const mostBrackets = 16;
const longestShown = 64;

/** Names and values, in order. @throws {URIError} saying which is no percent-encoded UTF-8 */
export function decodePairs(text: string): [string, string][] {
  return text
    .split("&", mostPairs + 1)
    .filter(Boolean)
    .map((pair) => {
      const at = pair.indexOf("=");
      const name = decode(at < 0 ? pair : pair.slice(0, at), "a name");
      return [name, at < 0 ? "" : decode(pair.slice(at + 1), name)];
    });
}

function decode(text: string, name: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new URIError(`${name.slice(0, longestShown)}: must be percent-encoded UTF-8.`);
  }
}

/** @throws {Problem} 400 */
export function parseForm(text: string, schema: v.GenericSchema): unknown {
  const root = new Map<string, Tree>();
  const pairs = decodePairs(text);
  if (pairs.length > mostPairs) throw refuse("", `must hold ${mostPairs} values at most; send more as JSON`);
  for (const [name, value] of pairs) plant(root, name, value);
  const body = shape(schema as unknown as Shape, root, []);
  expectPlain(body);
  return body;
}

function plant(root: Map<string, Tree>, name: string, value: string): void {
  const shown = JSON.stringify(name.slice(0, longestShown));
  const keys = keysOf(name);
  if (keys === undefined) throw refuse(shown, "must be a name such as parameters[title][value]");
  if (keys.includes("")) throw refuse(shown, "must number the items of a list, as in allocations[0][weight]");
  if (keys.length > mostBrackets) throw refuse(shown, `must not have more than ${mostBrackets} pairs of brackets`);
  const last = keys.pop() as string;
  let branch = root;
  for (const key of keys) {
    const next = branch.get(key) ?? new Map<string, Tree>();
    if (Array.isArray(next)) throw refuse(shown, "must not have both a value and members");
    branch.set(key, next);
    branch = next;
  }
  const values = branch.get(last) ?? [];
  if (!Array.isArray(values)) throw refuse(shown, "must not have both a value and members");
  values.push(value);
  branch.set(last, values);
}

/** `a[b][c]` → a, b, c; empty brackets at the end only say that there may be several values. */
function keysOf(name: string): string[] | undefined {
  const [, first, brackets = ""] = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name) ?? [];
  if (first === undefined) return undefined;
  const rest = brackets.slice(1, -1).split("][");
  if (rest.at(-1) === "") rest.pop();
  return [first, ...rest];
}
