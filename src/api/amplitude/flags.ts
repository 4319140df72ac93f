/** The flags of a deployment, for clients that evaluate them, or want to know what there is. */
import { staleness } from "../serving/desk.ts";
import type { Serving, Speaker } from "../serving/front.ts";
import { readKey } from "../serving/key.ts";
import { flagList } from "./flag-list.ts";
import { isRefused, methodNotAllowed, refusalOf, refuse } from "./refuse.ts";

/** Counts up when what a snapshot is made into changes. */
const format = 1;

export function createFlags({ desk }: Serving): Speaker {
  return async ({ method, headers }, _, __, visit) => {
    if (method !== "GET" && method !== "HEAD") return refuse(methodNotAllowed);
    const client = await desk.admit(readKey(headers), visit);
    // Who evaluates by itself goes on with what it has, and asks again anyhow.
    if (isRefused(client)) return refuse(refusalOf(client, 503));
    const { snapshot, deployment } = client;
    const etag = `"${format}-${deployment.id}-${snapshot.version}"`;
    const about = { etag, "cache-control": "private, no-cache", ...staleness(client) };
    if (isKnown(headers.get("if-none-match"), etag)) return new Response(null, { status: 304, headers: about });
    return new Response(flagList(snapshot, deployment), {
      headers: { "content-type": "application/json; charset=utf-8", ...about },
    });
  };
}

/** RFC 9110, section 13.1.2. */
function isKnown(ifNoneMatch: string | null, etag: string): boolean {
  const tags = ifNoneMatch?.split(",").map((tag) => tag.trim().replace(/^W\//, "")) ?? [];
  return tags.includes(etag) || ifNoneMatch?.trim() === "*";
}
