/** KV, cache and queue as workerd asks for them, each answering at once and counted: what is called is what is read. */
import { payload } from "./growthbook-payload.ts";

interface Env {
  SNAPSHOT: string;
}

const counts = { kv: 0, cache: 0, queue: 0 };

/** KV: the one snapshot under every key. */
export const Kv = {
  fetch(_request: Request, env: Env): Response {
    counts.kv++;
    const { version } = JSON.parse(env.SNAPSHOT);
    return new Response(env.SNAPSHOT, { headers: { "cf-kv-metadata": JSON.stringify({ version }) } });
  },
};

/** GrowthBook's KV; not the gate's, so not counted. */
export const GrowthBookKv = {
  fetch: (): Response => Response.json(payload),
};

/** A cache that keeps nothing. */
export const Cache = {
  async fetch(request: Request): Promise<Response> {
    counts.cache++;
    await request.arrayBuffer();
    return request.method === "PUT"
      ? new Response(null, { status: 204 })
      : new Response(null, { status: 504, headers: { "cf-cache-status": "MISS" } });
  },
};

/** A queue without a consumer. */
export const Queue = {
  async fetch(request: Request): Promise<Response> {
    counts.queue++;
    await request.arrayBuffer();
    return Response.json({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: 0 } } });
  },
};

/** Tells the counts so far. */
export default {
  fetch: (): Response => Response.json(counts),
};
