/** The flags of a deployment, for clients that evaluate them, or want to know what there is. */
import { serve } from "../../assignment/serve.ts";
import { overrideWarning } from "../../assignment/warning.ts";
import { staleness } from "../serving/desk.ts";
import { hasEtag } from "../serving/etag.ts";
import type { Serving, Speaker } from "../serving/front.ts";
import { readKey } from "../serving/key.ts";
import { overrideIn } from "../serving/override.ts";
import { flagList } from "./flag-list.ts";
import { isRefused, methodNotAllowed, refusalOf, refuse, warningHeader } from "./refuse.ts";

export function createFlags({ desk, reporter, keyring, now }: Serving): Speaker {
  return async (request, url, _, visit) => {
    const { method, headers } = request;
    if (method !== "GET" && method !== "HEAD") return refuse(methodNotAllowed("GET, HEAD"));
    const client = await desk.admit(readKey(headers), visit);
    // Who evaluates by itself goes on with what it has, and asks again anyhow.
    if (isRefused(client)) return refuse(refusalOf(client, 503));
    const { tenant, snapshot, deployment } = client;
    const about = { "content-type": "application/json; charset=utf-8", ...staleness(client) };
    const { override, warnings: refused } = await overrideIn(keyring, tenant, url, now());
    const served = override && serve({ snapshot, flagKeys: deployment.flagKeys, user: {}, override });
    const warnings = served?.warnings ?? refused;
    reporter.warn(tenant, { request, url }, warnings.map(overrideWarning), visit);
    if (served !== null) {
      const forced = served.flags.find(({ assignment }) => assignment?.method === "forced");
      return new Response(flagList(snapshot, deployment, forced).json, {
        headers: { ...about, "cache-control": "no-store", ...warningHeader(warnings) },
      });
    }
    const { json, etag } = flagList(snapshot, deployment);
    const cached = { etag, "cache-control": "private, no-cache", ...staleness(client), ...warningHeader(warnings) };
    if (hasEtag(request, etag)) return new Response(null, { status: 304, headers: cached });
    return new Response(json, { headers: { ...about, ...cached } });
  };
}
