/** Log-ins by a real client library, and what of them must be the same with and without the gate. */
import * as client from "openid-client";
import type { Hop, Visitor } from "../../scripts/browserless/visitor.ts";
import type { Side } from "./stack.ts";

export interface StartedLogin {
  configuration: client.Configuration;
  checks: { pkceCodeVerifier: string; expectedState: string; expectedNonce: string };
  /** The authorize request. */
  url: URL;
}

export async function startLogin(side: Side, parameters: Record<string, string> = {}): Promise<StartedLogin> {
  const execute = [client.allowInsecureRequests];
  const configuration = await client.discovery(new URL(side.issuer), "demo", undefined, client.None(), { execute });
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
  };
  const url = client.buildAuthorizationUrl(configuration, {
    ...parameters,
    redirect_uri: side.redirectUri,
    scope: "openid email",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  return { configuration, checks, url };
}

export interface FinishedLogin {
  tokens: client.TokenEndpointResponse & client.TokenEndpointResponseHelpers;
  claims: client.IDToken;
  userInfo: client.UserInfoResponse;
}

/** Exchanges the code that the visitor was sent back with; the library checks state, nonce, issuer and signature. */
export async function finishLogin({ configuration, checks }: StartedLogin, visitor: Visitor): Promise<FinishedLogin> {
  const tokens = await client.authorizationCodeGrant(configuration, callbackOf(visitor), {
    ...checks,
    idTokenExpected: true,
  });
  const claims = tokens.claims();
  if (claims === undefined) throw new Error("no ID token");
  const userInfo = await client.fetchUserInfo(configuration, tokens.access_token, claims.sub);
  return { tokens, claims, userInfo };
}

/** Where the last answer sends the visitor. */
export function callbackOf(visitor: Visitor): URL {
  return new URL(visitor.page.headers.get("location") ?? "", visitor.page.url);
}

/** Ids and codes are random, ports are chance. */
function shapeOf(text: string, { issuer, app }: Side): string {
  return text
    .replaceAll(issuer, "provider:")
    .replaceAll(app, "app:")
    .replaceAll(/[\w-]{20,}/g, "*");
}

function shapeOfUrl(address: string, side: Side): string {
  const url = new URL(address);
  const names = [...new Set(url.searchParams.keys())].join("&");
  return `${shapeOf(`${url.origin}${url.pathname}`, side)}${names && `?${names}`}`;
}

const isOurs = (cookie: string) => /^(__Host-)?vst_/.test(cookie);

/** Looked at elsewhere, or of the connection: as Cloudflare's edge does, the local server before the Worker compresses. */
const passing = new Set([
  "set-cookie",
  "location",
  "date",
  "connection",
  "keep-alive",
  "content-length",
  "content-encoding",
  "transfer-encoding",
]);

/** A hop without what is random in it, and without the gate's cookies. */
export function shapeOfHop(hop: Hop, side: Side) {
  const location = hop.headers.get("location");
  return {
    request: `${hop.method} ${shapeOfUrl(hop.url, side)}`,
    status: hop.status,
    location: location && shapeOfUrl(new URL(location, hop.url).href, side),
    cookies: hop.headers
      .getSetCookie()
      .filter((cookie) => !isOurs(cookie))
      .map((cookie) => shapeOf(cookie.replace(/expires=[^;]*/i, "expires"), side)),
    headers: [...hop.headers]
      .filter(([name]) => !passing.has(name))
      // The gate lets no shared cache keep what is one visitor's.
      .map(([name, value]) => `${name}: ${name === "cache-control" ? value.replace("private, ", "") : value}`)
      .map((line) => shapeOf(line, side)),
  };
}

/** The gate's own cookies that were set on the way. */
export function ourCookies(hops: readonly Hop[]): string[] {
  return hops.flatMap(({ headers }) => headers.getSetCookie().filter(isOurs));
}
