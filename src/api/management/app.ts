/** The management API over HTTP: a request becomes a command of the tenant's control plane, its answer a response. */
import { within } from "../../alarms/deadline.ts";
import { createUnits, type Units } from "../../assignment/unit.ts";
import type { Control, ControlAnswer, ControlRequest } from "../../control/control.ts";
import { tenantSettingsOf } from "../../control/tenant-settings.ts";
import { Problem } from "../../model/problem.ts";
import type { Tenant } from "../../model/tenant.ts";
import type { Settings } from "../../settings.ts";
import { isRead, managementPath } from "./address.ts";
import { createAuthenticator } from "./authenticate.ts";
import { documentPath, serveDocument } from "./document.ts";
import { Flooded } from "./flood.ts";
import { operations } from "./operations.ts";
import { readBody, readQuery } from "./read.ts";
import { refusedAddresses } from "./refused-addresses.ts";
import { renderAnswer, renderLines, renderRefusal } from "./render.ts";
import { createRouter, type Found } from "./route.ts";
import type { ManagementBindings, Question, Step } from "./step.ts";
import { unreachableDetail } from "./unreachable.ts";

const giveUpMs = 5_000;

export interface ManagementOptions {
  settings: Settings;
  /** The tenant a request is about. @throws {Problem} when it names none */
  tenantOf(request: Request): Tenant;
}

export interface Management {
  /** Answers whatever comes; never throws. */
  fetch(request: Request, bindings: ManagementBindings): Promise<Response>;
}

export function createManagement({ settings, tenantOf }: ManagementOptions): Management {
  const { adminToken: rootToken, sharedErrors, managementRate, unitKey } = settings;
  const authenticate = createAuthenticator({ rootToken, tenantOf, now: Date.now });
  const find = createRouter(operations);
  let units: Units | undefined;

  /** Made when they are first asked for: without a key every request is answered with an error before this. */
  function knownUnits(): Units {
    if (unitKey === null) throw new Error("no UNIT_KEY");
    units ??= createUnits(unitKey, (_, call) => call());
    return units;
  }

  async function answer(request: Request, bindings: ManagementBindings, correlationId: string): Promise<Response> {
    if (sharedErrors.length > 0) {
      throw new Problem("control_unavailable", "Settings are wrong: GET /_vestibule/health lists them.");
    }
    const { pathname, search, host } = new URL(request.url);
    const path = pathname.slice(managementPath.length);
    if (path === documentPath && isRead(request)) return serveDocument(request, bindings.ASSETS);

    const { tenant, credential, settle } = await authenticate(request);
    const found = find(request.method, path);
    const { refusal, success, step, ask, ...asked } = await readRequest(found, request, search);
    if (ask !== undefined) asked.input.body = await ask({ tenant, bindings }, asked.input.query);
    const control = bindings.CONTROL as unknown as DurableObjectNamespace<Control>;
    let reply: ControlAnswer;
    try {
      const execution = control.get(control.idFromName(tenant.id)).execute({
        tenant: {
          ...tenantSettingsOf(tenant),
          refusedAddresses: refusedAddresses(asked.input.body, settings),
        },
        credential,
        ...asked,
        correlationId,
        hostname: host,
        ratePerSecond: managementRate,
      });
      reply = await within(giveUpMs, execution as Promise<ControlAnswer>);
    } catch (error) {
      settle("unknown");
      logFault("the control plane cannot be reached", error, correlationId);
      throw new Problem("control_unavailable", unreachableDetail(request));
    }
    settle(!reply.ok && reply.code === "invalid_token" ? "wrong" : "genuine");
    if (reply.ok && refusal !== undefined) return renderRefusal(refusal, reply.rate, allowed(found));
    if (!reply.ok || step === undefined) return renderAnswer(reply, success);
    try {
      const commanded = reply.json === null ? undefined : JSON.parse(reply.json);
      const answered = await step.run({
        tenant,
        bindings,
        units: knownUnits(),
        ...asked.input,
        answer: commanded,
        request,
      });
      if ("lines" in answered) return renderLines(answered.lines, reply.rate);
      return renderAnswer({ ...reply, json: JSON.stringify(answered.json) ?? null }, success, answered.headers);
    } catch (error) {
      if (error instanceof Problem) return renderRefusal(error, reply.rate);
      logFault(`${asked.command}: a step failed`, error, correlationId);
      return renderRefusal(new Problem(step.unavailable), reply.rate);
    }
  }

  return {
    async fetch(request, bindings) {
      const correlationId = correlationIdOf(request);
      const response = await answer(request, bindings, correlationId).catch((error: unknown) =>
        renderFault(error, request, correlationId),
      );
      if (request.method === "HEAD") await response.body?.cancel();
      // What an asset answers cannot be added to; a copy can.
      const named = new Response(request.method === "HEAD" ? null : response.body, response);
      named.headers.set("x-correlation-id", correlationId);
      return named;
    },
  };
}

interface Asked extends Pick<ControlRequest, "scope" | "command" | "input"> {
  success: number;
  step?: Step | undefined;
  ask?: Question | undefined;
  /** Why nothing can be done, which is told once the caller is known to be let in. */
  refusal?: Problem;
}

const nothing = { params: {}, query: undefined, body: undefined };

async function readRequest(found: Found | undefined, request: Request, search: string): Promise<Asked> {
  const refused = { scope: null, command: null, input: nothing, success: 0 };
  if (found === undefined) return { ...refused, refusal: new Problem("address_not_found") };
  if ("allow" in found) {
    return { ...refused, refusal: new Problem("method_not_allowed", `It knows ${found.allow.join(", ")}.`) };
  }
  const { name: command, operation, params } = found;
  const { scope, success, step, ask } = operation;
  try {
    const query = readQuery(operation.query, search);
    return { scope, command, input: { params, query, body: await readBody(operation, request) }, success, step, ask };
  } catch (error) {
    if (error instanceof Problem) return { ...refused, scope, refusal: error };
    throw error;
  }
}

function allowed(found: Found | undefined): Record<string, string> {
  return found !== undefined && "allow" in found ? { allow: found.allow.join(", ") } : {};
}

/** What the client calls this request, or a name of ours where that cannot stand in a header and a log. */
function correlationIdOf(request: Request): string {
  const given = request.headers.get("x-correlation-id") ?? "";
  return /^[\x21-\x7e]{1,64}$/.test(given) ? given : crypto.randomUUID();
}

/** A problem as it is; whatever else was thrown is a bug, logged and answered bare. */
function renderFault(error: unknown, request: Request, correlationId: string): Response {
  if (!(error instanceof Problem)) {
    logFault("the management API failed", error, correlationId);
    return renderRefusal(new Problem("internal_error"));
  }
  // RFC 6750, section 3.1: who sent no credentials is not told that they are wrong.
  const isAnonymous = error.code === "invalid_token" && !request.headers.has("authorization");
  const challenge: Record<string, string> = isAnonymous ? { "www-authenticate": "Bearer" } : {};
  return renderRefusal(error, error instanceof Flooded ? error.rate : undefined, challenge);
}

function logFault(message: string, error: unknown, correlationId: string): void {
  const reason = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  console.error(JSON.stringify({ message, correlation_id: correlationId, reason }));
}
