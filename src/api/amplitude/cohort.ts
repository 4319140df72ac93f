/** The members of a cohort, for servers that evaluate flags themselves. */
import { within } from "../../alarms/deadline.ts";
import { messageOf } from "../../assignment/sources.ts";
import type { Cohorts } from "../../cohorts/cohorts.ts";
import { type ServingBindings, staleness } from "../serving/desk.ts";
import type { Serving, Speaker } from "../serving/front.ts";
import { decodeBase64 } from "./base64.ts";
import { cohortsAskedBy } from "./flag-list.ts";
import { isRefused, methodNotAllowed, type Refused, refusalOf, refuse } from "./refuse.ts";

const giveUpMs = 5_000;

const forServers: Refused = {
  status: 403,
  code: "server_key_required",
  message: "Members are given for the key of a server deployment alone.",
};
const notFound: Refused = {
  status: 404,
  code: "cohort_not_found",
  message: "No flag of this deployment asks about such a cohort.",
};
const unavailable: Refused = {
  status: 503,
  code: "cohorts_unavailable",
  message: "The cohort's members cannot be read at the moment.",
};

export function createCohort({ desk }: Serving): Speaker {
  return async ({ method, headers }, url, path, visit) => {
    if (method !== "GET" && method !== "HEAD") return refuse(methodNotAllowed("GET, HEAD"));
    const client = await desk.admit(readBasicKey(headers), visit);
    if (isRefused(client)) return refuse(refusalOf(client, 503));
    if (client.deployment.type !== "server") return refuse(forServers);
    const id = decodePath(path.slice(path.lastIndexOf("/") + 1));
    if (!cohortsAskedBy(client.snapshot, client.deployment).has(id)) return refuse(notFound);

    let listing: Awaited<ReturnType<Cohorts["list"]>>;
    try {
      listing = await within(giveUpMs, cohortsOf(visit.bindings, client.tenant.id).list(id));
    } catch (error) {
      console.error(JSON.stringify({ message: "members cannot be read", cohort: id, reason: messageOf(error) }));
      return refuse(unavailable);
    }
    if (listing === null) return refuse(notFound);
    const { body, lastModified, size } = listing;
    const number = (name: string) => Number(url.searchParams.get(name) ?? Number.NaN);
    const about = { "cache-control": "no-store", ...staleness(client) };
    const isTooBig = size > number("maxCohortSize");
    const isUnchanged = number("lastModified") >= lastModified;
    if (isTooBig || isUnchanged || method === "HEAD") await body.cancel();
    if (isUnchanged) return new Response(null, { status: 204, headers: about });
    if (isTooBig) return refuse({ status: 413, code: "cohort_too_large", message: `The cohort has ${size} members.` });
    return new Response(method === "HEAD" ? null : body, {
      headers: { "content-type": "application/json; charset=utf-8", ...about },
    });
  };
}

function cohortsOf({ COHORTS }: ServingBindings, tenant: string): Pick<Cohorts, "list"> {
  return COHORTS.get(COHORTS.idFromName(tenant)) as unknown as Pick<Cohorts, "list">;
}

/** Clients send an API key and its secret; here the key of the deployment is both. */
function readBasicKey(headers: Headers): string | null {
  const [, text = ""] = /^basic\s+(\S+)\s*$/i.exec(headers.get("authorization") ?? "") ?? [];
  const [key = "", ...secret] = (decodeBase64(text) ?? "").split(":");
  return key !== "" && key.length <= 256 && secret.join(":") === key ? key : null;
}

function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
