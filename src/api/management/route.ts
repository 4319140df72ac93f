/** Which operation a method and a path lead to. */
import type { CommandName } from "../../control/commands.ts";
import type { Operation } from "./operation.ts";

export type Found =
  | { name: CommandName; operation: Operation; params: Record<string, string> }
  /** The methods that the address knows, when it does not know the one asked for. */
  | { allow: string[] };

interface Address {
  segments: string[];
  methods: Map<string, CommandName>;
}

/** @returns a look-up that knows nothing of a path with a slash at its end, nor of one that cannot be decoded */
export function createRouter(operations: Readonly<Record<CommandName, Operation>>) {
  const addresses = new Map<string, Address>();
  for (const [name, { method, path }] of Object.entries(operations)) {
    const address = addresses.get(path) ?? { segments: path.split("/"), methods: new Map() };
    address.methods.set(method, name as CommandName);
    addresses.set(path, address);
  }
  // A word is a better match than a parameter: of two that differ, the one with the word is asked first.
  const inOrder = [...addresses.entries()]
    .sort(([a], [b]) => (a.replaceAll(":", "\uffff") < b.replaceAll(":", "\uffff") ? -1 : 1))
    .map(([, address]) => address);

  return (method: string, path: string): Found | undefined => {
    const given = path.split("/");
    for (const { segments, methods } of inOrder) {
      const params = match(segments, given);
      if (params === undefined) continue;
      const name = methods.get(method === "HEAD" ? "GET" : method);
      if (name !== undefined) return { name, operation: operations[name], params };
      const allow = [...methods.keys()].flatMap((known) => (known === "GET" ? ["GET", "HEAD"] : known));
      return { allow };
    }
    return undefined;
  };
}

function match(segments: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  if (segments.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const text = given[index] as string;
    if (!segment.startsWith(":")) {
      if (segment !== text) return undefined;
      continue;
    }
    if (text === "") return undefined;
    try {
      params[segment.slice(1)] = decodeURIComponent(text);
    } catch {
      return undefined;
    }
  }
  return params;
}
