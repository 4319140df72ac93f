/** The Worker of the pages for people. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { managementPath } from "../api/management/address.ts";
import type { Answer, Ask } from "../dashboard/api.ts";
import type { Assets } from "../dashboard/assets.ts";
import { createDashboard } from "../dashboard/dashboard.ts";
import { endedSessionKey } from "../dashboard/session.ts";
import type { Health } from "../dashboard/visit.ts";
import { tenantsOf, type Variables } from "../settings.ts";
import { createMaker } from "./handed.ts";
import type { Management } from "./management.ts";

export interface DashboardEnv {
  MANAGEMENT: Pick<Management, "answer">;
  /** Of sessions that were signed out, which are over in every isolate. */
  SNAPSHOTS: KVNamespace;
  ASSETS?: Assets;
}

const dashboardOf = createMaker((settings) =>
  createDashboard({ cookieKeys: settings.cookieKeys, tenants: tenantsOf(settings), now: Date.now }),
);

export class Dashboard extends WorkerEntrypoint<DashboardEnv> {
  /**
   * Whatever comes; never rejects.
   * @param health of the isolate that passes the request on; null while the settings are wrong
   */
  show(request: Request, variables: Variables, health: Health | null): Promise<Response> {
    const { SNAPSHOTS, ASSETS: assets } = this.env;
    return dashboardOf(variables).fetch(request, {
      call: (ask) => this.#ask(request, variables, ask),
      assets,
      ended: {
        has: async (id) => (await SNAPSHOTS.get(endedSessionKey(id))) !== null,
        add: (id, expirationTtl) => SNAPSHOTS.put(endedSessionKey(id), "", { expirationTtl }),
      },
      health,
    });
  }

  /** As the API would be asked from where the page is: it tells the tenant from the host, and a flood by the address. */
  async #ask(from: Request, variables: Variables, ask: Ask): Promise<Answer> {
    const headers = new Headers({ authorization: `Bearer ${ask.token}` });
    if (ask.tenant !== null) headers.set("x-vestibule-tenant", ask.tenant);
    if (ask.body) headers.set("content-type", ask.body.type);
    const client = from.headers.get("cf-connecting-ip");
    if (client !== null) headers.set("cf-connecting-ip", client);
    const url = new URL(managementPath + ask.path, from.url);
    const request = new Request(url, { method: ask.method, headers, ...(ask.body ? { body: ask.body.content } : {}) });
    const response = await this.env.MANAGEMENT.answer(request, variables);
    return { status: response.status, text: await response.text() };
  }
}

export { nowhere as default } from "./nowhere.ts";
