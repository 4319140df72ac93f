/** A browser that goes through whole logins at the gate, and what is stamped and counted on the way: support for tests. */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect } from "vitest";
import type { VestibuleEvent } from "../../src/model/event.ts";
import { host, navigation, type Seen, type Stage } from "./stage.ts";

export interface Stamped {
  id: string;
  variation: string;
  control: boolean;
  method: string;
  segment?: string;
  /** The flag's key, of a rollout alone. */
  flag?: string;
}

interface Claims {
  experiment_id: string;
  flag_key: string;
  variation_id: string;
  segment_id?: string;
  control: boolean;
  method: string;
  epoch?: number;
}

const claimsOf = (token: string): Claims[] =>
  JSON.parse(atob(token.split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/") ?? "")).experiments;

/** The stamp, sorted, with its headers and its token held against each other. */
export function readStamp({ headers }: Pick<Seen, "headers">): Stamped[] {
  const list = (name: string) => headers.get(`x-experiment-${name}`)?.split(",") ?? [];
  const ids = list("id");
  const [variations, controls, methods, segments] = ["variation-id", "control", "method", "segment-id"].map(list);
  const claims = ids.length === 0 ? [] : claimsOf(headers.get("x-experiment-stamp") ?? "");
  expect(claims).toHaveLength(ids.length);
  const entries = ids.map((id, at): Stamped => {
    const segment = segments?.[at];
    const entry = {
      id,
      variation: variations?.[at] ?? "",
      control: controls?.[at] === "true",
      method: methods?.[at] ?? "",
      ...(segment ? { segment } : {}),
    };
    const { flag_key: flag, ...claim } = claims[at] as Claims;
    expect(claim).toMatchObject({
      experiment_id: id,
      variation_id: entry.variation,
      control: entry.control,
      method: entry.method,
      ...(segment ? { segment_id: segment } : {}),
    });
    return id === "-" ? { ...entry, flag } : entry;
  });
  const key = (entry: Stamped) => `${entry.id} ${entry.flag ?? ""}`;
  return entries.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

export interface Step {
  seen: Seen;
  response: Response;
  stamped: Stamped[];
  failedOpen: string | null;
  /** Events that the request queued. */
  events: VestibuleEvent[];
  warnings: string[];
}

export interface RequestOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface LoginBrowser {
  cookies: Map<string, string>;
  send(path: string, options?: RequestOptions): Promise<Step>;
  /** A navigation that a link or a redirect of another site begins. */
  fromOutside(path: string): Promise<Step>;
  /** A navigation that a redirect or a page of the provider begins. */
  within(path: string): Promise<Step>;
  /** A form of the provider's page. */
  post(path: string, body?: string): Promise<Step>;
}

export function createLoginBrowser(stage: Stage, own: Record<string, string> = {}): LoginBrowser {
  const cookies = new Map(Object.entries(own));
  async function send(path: string, { method = "GET", headers = {}, body }: RequestOptions = {}): Promise<Step> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const page = navigation(path, { ...(cookie ? { cookie } : {}), ...headers });
    const request = new Request(page, { method, ...(body === undefined ? {} : { body }) });
    const [before, queuedBefore] = [stage.origin.seen.length, stage.queued.length];
    const { response } = await stage.send(request);
    // A key set is fetched from elsewhere.
    const seen = stage.origin.seen.slice(before).find(({ url }) => url.startsWith("https://id.example.com/"));
    if (!seen) throw new Error("the request did not reach the origin");
    for (const line of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split("; ");
      const end = pair.indexOf("=");
      if (attributes.includes("Max-Age=0")) cookies.delete(pair.slice(0, end));
      else cookies.set(pair.slice(0, end), pair.slice(end + 1));
    }
    const queued = stage.queued.slice(queuedBefore);
    return {
      seen,
      response,
      stamped: readStamp(seen),
      failedOpen: seen.headers.get("x-experiment-failed-open"),
      events: queued.flatMap((one) => (one.kind === "event" ? [one.event] : [])),
      warnings: queued.flatMap((one) =>
        one.kind === "log" && one.entry.type === "w" ? [one.entry.details.code ?? ""] : [],
      ),
    };
  }
  const form = { "content-type": "application/x-www-form-urlencoded", origin: `https://${host}` };
  return {
    cookies,
    send,
    fromOutside: (path) => send(path, { headers: { "sec-fetch-site": "cross-site" } }),
    within: (path) => send(path, { headers: { "sec-fetch-site": "same-origin" } }),
    post: (path, body = "user=a&password=b") =>
      send(path, { method: "POST", body, headers: { ...form, "sec-fetch-site": "same-origin" } }),
  };
}

const redirect = (location: string) => new Response(null, { status: 303, headers: { location } });
const loginPage = () =>
  new Response("<!doctype html><title>Log in</title>", { headers: { "content-type": "text/html" } });

let states = 0;
export const newState = (): string => `state-${++states}`;
export const authorizePath = (state: string, more = ""): string =>
  `/authorize?client_id=app&response_type=code&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&state=${state}${more}`;

/** A provider that keeps the login of the last authorization request, and sends it back to the application. */
export function answerAsProvider(stage: Stage, jwks?: unknown): void {
  let state = "";
  stage.origin.answer = ({ method, url }) => {
    if (url.endsWith("/jwks")) return Response.json(jwks);
    const { pathname, searchParams } = new URL(url);
    if (pathname === "/authorize") {
      state = searchParams.get("state") ?? "";
      return redirect("/login");
    }
    if (method === "POST" && pathname === "/login") return redirect(`https://app.example.com/cb?code=c&state=${state}`);
    return loginPage();
  };
}

/** Users of an issuer, as tokens for the cookie `id_token`. */
export async function createUsers() {
  const issuer = "https://issuer.example.com";
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: "ES256", kid: "1" }] };
  return {
    jwks,
    /** The tenant's settings. */
    tenant: { user: { issuer, jwks_uri: `${issuer}/jwks`, token: "cookie:id_token" } },
    tokenOf: (id: string) =>
      new SignJWT({ sub: id })
        .setProtectedHeader({ alg: "ES256", kid: "1" })
        .setIssuer(issuer)
        .setIssuedAt()
        .setExpirationTime("10h")
        .sign(privateKey),
  };
}

/** Events as `type experiment variation outcome`, in order of their names. */
export const briefly = (events: readonly VestibuleEvent[]): string[] =>
  events
    .filter(({ type }) => type !== "identity")
    .map(({ type, experiment_id, outcome }) => [type, experiment_id, ...(outcome ? [outcome] : [])].join(" "))
    .sort();
