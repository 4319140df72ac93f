/**
 * GrowthBook's edge app as its documentation sets it up, with what makes it fast: the payload is there (no KV read and
 * no request for it), the SDK is hydrated in the page. One visual experiment, half of the visitors in each variation.
 */
import { handleRequest } from "@growthbook/edge-cloudflare";

interface Env {
  ORIGIN: string;
}

const payload = {
  features: {},
  experiments: [
    {
      key: "warmer-login",
      changeId: "vc_login",
      status: "running",
      manual: false,
      hashAttribute: "id",
      hashVersion: 2,
      weights: [0.5, 0.5],
      coverage: 1,
      urlPatterns: [{ include: true, type: "simple", pattern: "*" }],
      variations: [
        {},
        {
          domMutations: [
            { selector: "h1", attribute: "html", action: "set", value: "Welcome back" },
            { selector: ".go", attribute: "html", action: "set", value: "Continue" },
          ],
        },
      ],
      meta: [
        { key: "0", name: "Control" },
        { key: "1", name: "Welcoming" },
      ],
    },
  ],
};

export default {
  fetch(request: Request, env: Env): Promise<unknown> {
    const settings = {
      PROXY_TARGET: env.ORIGIN,
      GROWTHBOOK_API_HOST: "https://cdn.growthbook.io",
      GROWTHBOOK_CLIENT_KEY: "sdk-bench",
    };
    return handleRequest(request, settings, { payload } as unknown as Parameters<typeof handleRequest>[2]);
  },
};
