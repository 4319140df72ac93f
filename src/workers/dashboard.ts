/** The Worker of the pages for people. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { managementPath } from "../api/management/address.ts";
import { unreachable, unreachableStatus } from "../api/management/unreachable.ts";
import type { Ask } from "../dashboard/api.ts";
import type { Assets } from "../dashboard/assets.ts";
import { createDashboard } from "../dashboard/dashboard.ts";
import { endedSessionKey } from "../dashboard/session.ts";
import type { Health } from "../dashboard/visit.ts";
import { tenantsOf } from "../routes.ts";
import type { Variables } from "../settings.ts";
import { createMaker } from "./handed.ts";

/** Of the management API, what is asked here. */
interface Conversation extends Partial<Disposable> {
  answer(request: Request): Promise<Response>;
}

export interface DashboardEnv {
  MANAGEMENT: { open(variables: Variables): Conversation | Promise<Conversation> };
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
  async show(request: Request, variables: Variables, health: Health | null): Promise<Response> {
    const { SNAPSHOTS, MANAGEMENT, ASSETS: assets } = this.env;
    let opened: Promise<Conversation> | undefined;
    const response = await dashboardOf(variables).fetch(request, {
      async call(ask) {
        opened ??= (async () => MANAGEMENT.open(variables))();
        try {
          const answer = await (await opened).answer(requestOf(request, ask));
          return { status: answer.status, text: await answer.text() };
        } catch (error) {
          console.error(JSON.stringify({ message: "the management API cannot be reached", reason: String(error) }));
          const { code: errorCode, message } = unreachable(ask);
          return { status: unreachableStatus, text: JSON.stringify({ message, errorCode }) };
        }
      },
      assets,
      ended: {
        has: async (id) => (await SNAPSHOTS.get(endedSessionKey(id))) !== null,
        add: (id, expirationTtl) => SNAPSHOTS.put(endedSessionKey(id), "", { expirationTtl }),
      },
      health,
    });
    (await opened?.catch(() => undefined))?.[Symbol.dispose]?.();
    return response;
  }
}

/** As the API would be asked from where the page is: it tells the tenant from the host, and a flood by the address. */
function requestOf(from: Request, ask: Ask): Request {
  const headers = new Headers({ authorization: `Bearer ${ask.token}` });
  if (ask.tenant !== null) headers.set("x-vestibule-tenant", ask.tenant);
  if (ask.body) headers.set("content-type", ask.body.type);
  const client = from.headers.get("cf-connecting-ip");
  if (client !== null) headers.set("cf-connecting-ip", client);
  const url = new URL(managementPath + ask.path, from.url);
  return new Request(url, { method: ask.method, headers, ...(ask.body ? { body: ask.body.content } : {}) });
}

export { nowhere as default } from "./nowhere.ts";
