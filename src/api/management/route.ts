/** Which operation a method and a path lead to. */
import { METHOD_NAME_ALL } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";
import type { CommandName } from "../../control/commands.ts";
import type { Operation } from "./operation.ts";

export type Found =
  | { name: CommandName; operation: Operation; params: Record<string, string> }
  /** The methods that the address knows, when it does not know the one asked for. */
  | { allow: string[] };

type Methods = ReadonlyMap<string, CommandName>;

/** @returns a look-up that knows nothing of a path with a slash at its end, nor of one that cannot be decoded */
export function createRouter(operations: Readonly<Record<CommandName, Operation>>) {
  const addresses = new Map<string, Map<string, CommandName>>();
  for (const [name, { method, path }] of Object.entries(operations)) {
    const methods = addresses.get(path) ?? new Map<string, CommandName>();
    addresses.set(path, methods.set(method, name as CommandName));
  }
  const router = new TrieRouter<Methods>();
  for (const [path, methods] of addresses) router.add(METHOD_NAME_ALL, path, methods);

  return (method: string, path: string): Found | undefined => {
    const [[match] = []] = router.match(method, path);
    const params = match && decoded(match[1] as Record<string, string>);
    if (match === undefined || params === undefined) return undefined;
    const [methods] = match;
    const name = methods.get(method === "HEAD" ? "GET" : method);
    if (name !== undefined) return { name, operation: operations[name], params };
    return { allow: [...methods.keys()].flatMap((known) => (known === "GET" ? ["GET", "HEAD"] : known)) };
  };
}

/** Undefined where one of them cannot be decoded. */
function decoded(params: Record<string, string>): Record<string, string> | undefined {
  try {
    return Object.fromEntries(Object.entries(params).map(([name, text]) => [name, decodeURIComponent(text)]));
  } catch {
    return undefined;
  }
}
