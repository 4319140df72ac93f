/** A Worker before a scripted origin, several tenants on it by host: for providers that cannot run here. */
import { randomBytes } from "node:crypto";
import { createVisitor, type Visitor } from "../../scripts/browserless/visitor.ts";
import { listen, toNodeHandler } from "../../scripts/demo/listen.ts";
import { readStamp, type StampedExperiment } from "../../scripts/demo/stamp.ts";
import { startLocal } from "../../scripts/local.ts";
import { adminVars, manage, publish } from "./managed.ts";
import { readSample } from "./stack.ts";

/** What the origin was asked. */
export interface Asked {
  method: string;
  /** Path and query. */
  target: string;
  query: URLSearchParams;
  experiment: StampedExperiment | undefined;
}

export interface ScriptedGate {
  url: string;
  cookieKey: { kid: string; secret: Uint8Array<ArrayBuffer> };
  /** Requests of this tenant since last asked, the oldest first. */
  takeAsked(tenant: string): Asked[];
  /** A visitor of the tenant's host, whatever that is called: the address stays the gate's, so links must be relative. */
  newVisitor(tenant: string): Visitor;
  lines: readonly { level: string; message: string }[];
  close(): Promise<void>;
}

/** The host of a tenant is `<tenant>.test`; each has the sample published. */
export async function startScriptedGate(
  tenants: Record<string, Record<string, unknown>>,
  answer: (request: Request, tenant: string) => Response | Promise<Response>,
): Promise<ScriptedGate> {
  const stampKey = randomBytes(32).toString("base64url");
  const secret = new Uint8Array(randomBytes(32));
  const asked = new Map<string, Asked[]>();
  const lines: { level: string; message: string }[] = [];

  const origin = await listen(
    0,
    toNodeHandler(async (request) => {
      const tenant = request.headers.get("x-forwarded-host")?.replace(/\.test$/, "") ?? "";
      const { pathname, search, searchParams: query } = new URL(request.url);
      const stamp = await readStamp(request.headers, stampKey);
      const experiment = stamp.kind === "stamped" ? stamp.experiments[0] : undefined;
      const { method } = request;
      asked.set(tenant, [...(asked.get(tenant) ?? []), { method, target: `${pathname}${search}`, query, experiment }]);
      return answer(request, tenant);
    }),
  );
  const worker = await startLocal({
    port: 0,
    vars: {
      ...adminVars,
      TENANTS: JSON.stringify(
        Object.fromEntries(
          Object.entries(tenants).map(([tenant, settings]) => [
            tenant,
            { hosts: [`${tenant}.test`], origin: `http://127.0.0.1:${origin.port}`, ...settings },
          ]),
        ),
      ),
      COOKIE_KEYS: `k1:${Buffer.from(secret).toString("base64url")}`,
      STAMP_KEY: stampKey,
      DECISION_BUDGET_MS: "5000",
    },
    onLog: (level, message) => lines.push({ level, message }),
  });
  const configuration = await readSample();
  await Promise.all(Object.keys(tenants).map((tenant) => publish(manage(worker, tenant), configuration)));

  return {
    url: worker.url,
    cookieKey: { kid: "k1", secret },
    takeAsked(tenant) {
      const taken = asked.get(tenant) ?? [];
      asked.delete(tenant);
      return taken;
    },
    newVisitor: (tenant) => createVisitor({ headers: { host: `${tenant}.test` } }),
    lines,
    async close() {
      await worker.close();
      await origin.close();
    },
  };
}

/** A page with a form; it posts to the page's own address unless told otherwise. */
export function formPage(title: string, status = 200, action = ""): Response {
  const form = `<form method="post" action="${action.replaceAll("&", "&amp;")}"><input name="password"></form>`;
  const markup = `<!doctype html><html><title>${title}</title>${form}</html>`;
  return new Response(markup, { status, headers: { "content-type": "text/html; charset=utf-8" } });
}

export function redirectTo(location: string, status = 302): Response {
  return new Response(null, { status, headers: { location } });
}
