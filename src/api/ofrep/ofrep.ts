/** OFREP 0.3, for OpenFeature's providers: one flag, or all that the key may fetch. */
import type { Address } from "../../assignment/address.ts";
import type { Assignment } from "../../assignment/decide.ts";
import { createNameAssignment } from "../serving/assignment-id.ts";
import { type Client, staleness, type Visit } from "../serving/desk.ts";
import { etagOf, hasEtag } from "../serving/etag.ts";
import type { Serving, Speaker } from "../serving/front.ts";
import { readKey } from "../serving/key.ts";
import { overrideIn, warningsOf } from "../serving/override.ts";
import { attributesOf, completeUser } from "../serving/user.ts";
import { type Context, readContext, tooLarge } from "./context.ts";
import { type Evaluated, evaluationOf, type Metadata, parametersOf, partsOf } from "./flags.ts";
import { fail, refuse, refuseClient } from "./refuse.ts";

const bulkPath = "/ofrep/v1/evaluate/flags";

export function createOfrep({ desk, reporter, keyring, units, now }: Serving): Speaker {
  const nameAssignment = createNameAssignment({ keyring, units });

  /** Evaluates flags that the key may fetch, and has their assignments told. */
  async function evaluate(
    flagKeys: readonly string[],
    { subject, links, ...context }: Context,
    { request, url, client, visit }: { request: Request; url: Address; client: Client; visit: Visit },
  ): Promise<Evaluated & { question: unknown }> {
    const { tenant, deployment, snapshot } = client;
    const user = completeUser(context.user, request, client);
    const wish = await overrideIn(keyring, tenant, url, now());
    const served = await desk.answer(client, { subject, flagKeys, user, override: wish.override }, visit);
    reporter.warn(tenant, { request, url }, warningsOf(wish, served), visit);
    const assignments = served.flags.flatMap(({ assignment }) => assignment ?? []);
    const told = assignments.map((assignment) => ({ type: "assignment" as const, assignment }));
    const attributes = attributesOf(user, request, url, client);
    const occasion = {
      tenant: tenant.id,
      atMs: now(),
      source: "ofrep" as const,
      deployment: deployment.id,
      attributes,
    };
    visit.ctx.waitUntil(reporter.report({ occasion, subject, told, links }, visit.bindings.EVENTS));
    const named = assignments.map(async (assignment): Promise<[Assignment, string][]> => {
      const name = await nameAssignment(tenant.id, subject, assignment);
      return name === null ? [] : [[assignment, name]];
    });
    const [warning] = [...wish.warnings, ...served.warnings];
    const metadata: Metadata = warning === undefined ? {} : { warning };
    const question = [tenant.id, deployment.id, user, wish.override];
    return { snapshot, user, served, names: new Map((await Promise.all(named)).flat()), metadata, question };
  }

  return async (request, url, path, visit) => {
    if (request.method !== "POST") return refuse(405, "Flags are evaluated by POST.", { allow: "POST" });
    const client = await desk.admit(readKey(request.headers), visit);
    if ("refused" in client) return refuseClient(client);
    const key = path === bulkPath ? null : decoded(path.slice(bulkPath.length + 1));
    const context = await readContext(request);
    if (context === "too_large") return fail({ errorCode: "GENERAL", errorDetails: tooLarge }, { key, status: 413 });
    if ("errorCode" in context) return fail(context, { key });
    const { deployment, snapshot } = client;
    const ask = { request, url, client, visit };

    if (key !== null) {
      const { flagKey } = partsOf(key);
      const isEnabled = deployment.flagKeys.includes(flagKey);
      const evaluation = isEnabled ? evaluationOf(key, await evaluate([flagKey], context, ask)) : undefined;
      if (evaluation === undefined) {
        // The last good configuration may not have it yet.
        const headers = staleness(client);
        return fail(
          { errorCode: "FLAG_NOT_FOUND", errorDetails: "No flag of this key's has that name." },
          { key, headers },
        );
      }
      const status = "errorCode" in evaluation ? 400 : 200;
      return Response.json(evaluation, { status, headers: { "cache-control": "no-store", ...staleness(client) } });
    }

    const { question, metadata, ...evaluated } = await evaluate(deployment.flagKeys, context, ask);
    const flags = deployment.flagKeys.flatMap((flagKey) =>
      [flagKey, ...(parametersOf(snapshot, flagKey) ?? []).map((name) => `${flagKey}.${name}`)].flatMap(
        (each) => evaluationOf(each, { ...evaluated, metadata: {} }) ?? [],
      ),
    );
    const answer = JSON.stringify({ flags, metadata: { version: snapshot.version, ...metadata } });
    const etag = etagOf(question, answer);
    const headers = { etag, "cache-control": "private, no-cache", ...staleness(client) };
    if (hasEtag(request, etag)) return new Response(null, { status: 304, headers });
    return new Response(answer, { headers: { "content-type": "application/json; charset=utf-8", ...headers } });
  };
}

/** As it is written where it is no percent-encoding. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
