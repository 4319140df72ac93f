/** Which page is where. */
import { TrieRouter } from "hono/router/trie-router";
import { overview } from "./pages/overview.tsx";
import type { Handler } from "./visit.ts";

type Method = "GET" | "POST";

const pages: readonly (readonly [Method | "GET POST", string, Handler])[] = [["GET", "/", overview]];

export interface Found {
  handler: Handler;
  params: Record<string, string>;
}

export function createRouter(): (method: Method, path: string) => Found | undefined {
  const router = new TrieRouter<Handler>();
  for (const [methods, path, handler] of pages) {
    for (const method of methods.split(" ")) router.add(method, path, handler);
  }
  return (method, path) => {
    const [[match] = []] = router.match(method, path);
    if (match === undefined) return undefined;
    const [handler, params] = match;
    try {
      const decoded = Object.entries(params).map(([name, text]) => [name, decodeURIComponent(String(text))]);
      return { handler, params: Object.fromEntries(decoded) };
    } catch {
      return undefined;
    }
  };
}
