/** The management API over HTTP: a request becomes a command of the tenant's control plane, its answer a response. */
import { Hono } from "hono/tiny";
import type { CommandName } from "../../control/commands.ts";
import type { Control } from "../../control/control.ts";
import { Problem } from "../../model/problem.ts";
import type { Tenant } from "../../model/tenant.ts";
import type { Settings } from "../../settings.ts";
import { authenticate } from "./authenticate.ts";
import { type Assets, documentPath, serveDocument } from "./document.ts";
import { operations } from "./operations.ts";
import { readBody, readQuery } from "./read.ts";
import { renderAnswer, renderFault, renderRefusal } from "./render.ts";

export const managementPath = "/api/v2/experimentation";

export interface ManagementEnv {
  Bindings: { CONTROL: DurableObjectNamespace; ASSETS?: Assets };
}

export interface ManagementOptions {
  settings: Settings;
  /** The tenant a request is about. @throws {Problem} when it names none */
  tenantOf(request: Request): Tenant;
}

export function createManagement({ settings, tenantOf }: ManagementOptions): Hono<ManagementEnv> {
  const app = new Hono<ManagementEnv>().basePath(managementPath);

  app.get(documentPath, (c) => serveDocument(c.req.raw, c.env.ASSETS));
  for (const [name, operation] of Object.entries(operations)) {
    const { method, path, scope, query, body, success } = operation;
    app.on(method, path, async (c) => {
      const request = c.req.raw;
      const tenant = tenantOf(request);
      const credential = await authenticate(request, settings);
      const control = c.env.CONTROL as unknown as DurableObjectNamespace<Control>;
      const answer = await control.get(control.idFromName(tenant.id)).execute({
        tenant: { id: tenant.id, activeLimit: tenant.active_experiment_limit, entitled: tenant.entitled },
        credential,
        scope,
        command: name as CommandName,
        input: {
          params: c.req.param() as Record<string, string>,
          query: readQuery(query, new URL(request.url)),
          body: body === undefined ? undefined : await readBody(body, request),
        },
        correlationId: request.headers.get("x-correlation-id") ?? crypto.randomUUID(),
        hostname: new URL(request.url).host,
      });
      return answer.ok ? renderAnswer(success, answer.json) : renderRefusal(answer);
    });
  }

  app.notFound(() => renderFault(new Problem("address_not_found")));
  app.onError((error) => renderFault(error));
  return app;
}
