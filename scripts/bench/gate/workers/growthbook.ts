/**
 * GrowthBook's edge app as its documentation sets it up: the payload is synchronised into KV and read from there, so no
 * request goes to GrowthBook; the SDK is hydrated in the page. Without the KV binding the payload is in memory, which its
 * documentation does not offer, but is the least it could cost.
 */
import { getPayloadFromKV, handleRequest } from "@growthbook/edge-cloudflare";
import { payload } from "./growthbook-payload.ts";

interface Env {
  ORIGIN: string;
  KV_GB_PAYLOAD?: unknown;
}

export default {
  async fetch(request: Request, env: Env): Promise<unknown> {
    const settings = {
      PROXY_TARGET: env.ORIGIN,
      GROWTHBOOK_API_HOST: "https://cdn.growthbook.io",
      GROWTHBOOK_CLIENT_KEY: "sdk-bench",
    };
    const published = env.KV_GB_PAYLOAD
      ? await getPayloadFromKV(env as unknown as Parameters<typeof getPayloadFromKV>[0])
      : payload;
    return handleRequest(request, settings, { payload: published } as unknown as Parameters<typeof handleRequest>[2]);
  },
};
