import { describe, expect, it } from "vitest";
import { Address } from "../../src/assignment/address.ts";
import type { Session } from "../../src/assignment/session.ts";
import { classify } from "../../src/gate/classify.ts";
import { scanHeaders } from "../../src/gate/header-scan.ts";
import { beginLogin } from "../../src/gate/login.ts";
import { type Outcome, outcomeTypeOf, readOutcome } from "../../src/gate/outcome.ts";
import { compileRules } from "../../src/gate/rules.ts";
import { tenantOf } from "./tenant.ts";

interface Answer {
  status: number;
  location?: string;
  type?: string;
  body?: string;
}

const session: Session = {
  deviceId: "d",
  userUnit: null,
  issuedAtSeconds: 0,
  pins: [],
  decided: [],
  login: null,
  redirect: null,
  hasPage: true,
  isSignup: false,
  isForced: false,
  hasSucceeded: false,
};
/** A login that was begun with this query. */
const begun = (query: string): Session => {
  const { request, url, classified } = visitTo(`/auth?${query}`, "GET", {});
  return { ...session, login: beginLogin(request, url, classified, null) };
};
const browser = { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
const call = { accept: "*/*", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" };

function visitTo(
  path: string,
  method: string,
  tenant: Record<string, unknown>,
  headers: Record<string, string> = browser,
) {
  const own = tenantOf(tenant);
  const rules = compileRules(own);
  const request = new Request(`https://login.example.com${path}`, { method, headers });
  const url = new Address(request.url);
  return { request, url, tenant: own, rules, classified: classify(request, url, scanHeaders(request.headers), rules) };
}

interface Circumstances {
  path?: string;
  method?: string;
  tenant?: Record<string, unknown>;
  headers?: Record<string, string>;
  session?: Session | null;
}

async function outcomeOf({ status, location, type, body }: Answer, circumstances: Circumstances = {}) {
  const { path = "/auth/x", method = "GET", tenant = {}, headers = browser } = circumstances;
  const response = new Response(body ?? null, {
    status,
    headers: {
      ...(location === undefined ? {} : { location }),
      ...(type === undefined ? {} : { "content-type": type }),
    },
  });
  const own = circumstances.session === undefined ? session : circumstances.session;
  const read = await readOutcome({
    ...visitTo(path, method, tenant, headers),
    session: own,
    beginsSession: false,
    response,
  });
  if (body !== undefined) expect(await read.response.text()).toBe(body);
  return read.outcome;
}

const app = "https://app.example.net/callback";
const success = { kind: "success", ends: true };
const failure = { kind: "failure", ends: true };
const tryAgain = { kind: "failure", ends: false };

describe("a redirect", () => {
  it.each([
    [`${app}?code=abc&state=x`, success],
    [`${app}?code=abc`, success],
    [`${app}#id_token=abc&state=x`, success],
    [`${app}#access_token=abc`, success],
    [`${app}?response=jwt`, success],
    [`${app}?error=access_denied&state=x`, failure],
    [`${app}#error=access_denied`, failure],
    ["com.example.app:/callback?code=abc", success],
    ["/callback?code=abc&state=x", success],
    // The provider's own page, with a code of its own.
    ["/reset?code=123456", null],
    ["/error?error=expired", null],
    ["/interaction/abc", null],
    [app, null],
    ["http://[not an address", null],
  ])("to %s is %o", async (location, expected) => {
    for (const status of [301, 302, 303, 307, 308]) expect(await outcomeOf({ status, location })).toEqual(expected);
  });

  it("counts only as a redirect", async () => {
    expect(await outcomeOf({ status: 200, location: `${app}?code=abc` })).toBeNull();
  });
});

describe("a refused form", () => {
  it.each([
    ["oidc", "/interaction/x", 400, tryAgain],
    ["oidc", "/interaction/x", 200, null],
    ["auth0", "/u/login/password", 400, tryAgain],
    ["auth0", "/other", 400, null],
    ["keycloak", "/realms/a/login-actions/authenticate", 200, null],
  ])("of %s at %s with %i", async (provider, path, status, expected) => {
    expect(await outcomeOf({ status }, { path, method: "POST", tenant: { provider } })).toEqual(expected);
  });

  it("is no refusal when nothing was sent", async () => {
    expect(await outcomeOf({ status: 400 })).toBeNull();
  });

  it("of cognito is a redirect with error=, and the application's own refusal ends the log-in", async () => {
    const tenant = { provider: "cognito" };
    expect(
      await outcomeOf({ status: 302, location: "/login?error=bad" }, { path: "/login", method: "POST", tenant }),
    ).toEqual(tryAgain);
    expect(
      await outcomeOf(
        { status: 302, location: `${app}?error=access_denied&state=x` },
        { path: "/login", method: "POST", tenant },
      ),
    ).toEqual(failure);
  });
});

it("a tenant's own rules come first", async () => {
  const tenant = {
    outcomes: [
      { outcome: "success", method: "POST", path: "/api/login", status: [204] },
      { outcome: "failure", path: "/saml/**", location_parameter: "SAMLError" },
    ],
  };
  expect(await outcomeOf({ status: 204 }, { path: "/api/login", method: "POST", tenant })).toEqual(success);
  expect(await outcomeOf({ status: 302, location: "/x?SAMLError=1" }, { path: "/saml/acs", tenant })).toEqual(tryAgain);
});

describe("a redirect within the host", () => {
  it.each([
    ["client_id=a&response_type=code&state=2", "/callback?code=abc&state=2", success],
    ["client_id=a&response_type=code&state=2", "/callback?error=access_denied&state=2", failure],
    // The broker's endpoint of another realm.
    ["client_id=a&response_type=code&state=2", "/realms/A/broker/B/endpoint?state=s&session_state=x&code=c", null],
    ["client_id=a&response_type=code&state=2", "http://login.example.com/login?error=bad_password", null],
    ["client_id=a&response_type=code&state=2", "https://id.example.com/login?error=bad_password&state=2", failure],
    ["client_id=a&response_type=code", "https://id.example.com/login?error=bad_password", null],
    ["client_id=a&response_type=code&redirect_uri=https%3A%2F%2Fapp.example.net%2Fcallback", `${app}?code=1`, success],
    ["client_id=a&response_type=code&redirect_uri=https%3A%2F%2Fapp.example.net%2Fother", `${app}?code=1`, null],
    ["client_id=a&response_type=code&state=2", `${app}?code=1&state=3`, null],
  ])("after %s to %s is %o", async (query, location, expected) => {
    expect(await outcomeOf({ status: 303, location }, { session: begun(query) })).toEqual(expected);
  });
});

describe("a page's own call", () => {
  const begunWithState = begun("client_id=a&response_type=code&state=2");
  const json = (value: unknown, status = 200): Answer => ({
    status,
    type: "application/json; charset=utf-8",
    body: JSON.stringify(value),
  });

  it.each([
    [json({ url: `${app}?code=1&state=2` }), success],
    [json({ data: { redirect: { to: `${app}#code=1&state=2` } } }), success],
    [json({ url: `${app}?error=access_denied&state=2` }), failure],
    [json({ url: `${app}?code=1&state=other` }), null],
    [json({ url: "/consent?state=2" }), null],
    [json({ ok: true }), null],
    [json("2"), null],
    [{ status: 200, type: "application/json", body: "{ not json" }, null],
    [json({ message: "wrong" }, 401), null],
  ])("answered with %o is %o", async (answer, expected) => {
    const given = { path: "/api/session", method: "POST", headers: call, session: begunWithState };
    expect(await outcomeOf(answer, given)).toEqual(expected);
  });

  it("is what a rule reads of its JSON", async () => {
    const outcomes = [
      { outcome: "failure", request: "fetch", path: "/api/login", json: { member: "status", equals: "WRONG" } },
      { outcome: "login", request: "fetch", path: "/api/login", json: { member: "session.id" } },
    ];
    const given = { path: "/api/login", method: "POST", headers: call, tenant: { outcomes } };
    expect(await outcomeOf(json({ status: "WRONG" }), given)).toEqual(tryAgain);
    expect(await outcomeOf(json({ session: { id: "x" } }), given)).toEqual({ kind: "login", ends: false });
    expect(await outcomeOf(json({ session: { id: null } }), given)).toBeNull();
    expect(await outcomeOf(json({ status: "WRONG" }), { ...given, headers: browser })).toBeNull();
  });
});

describe("a page that posts itself to the application", () => {
  const page = (fields: Record<string, string>, action = app): Answer => ({
    status: 200,
    type: "text/html",
    body: `<!doctype html><body onload="document.forms[0].submit()"><form method=post action="${action}">${Object.entries(
      fields,
    )
      .map(([name, value]) => `<input type="hidden" name='${name}' value="${value}"/>`)
      .join("")}</form>`,
  });
  const formPost = begun("client_id=a&response_type=code&state=2&response_mode=form_post");
  const saml = begun("SAMLRequest=x");
  const samlResponse = (status: string) =>
    btoa(`<Response><StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${status}"/></Response>`);

  it.each([
    [formPost, page({ code: "c", state: "2" }), success],
    [formPost, page({ error: "access_denied", state: "2" }), failure],
    [formPost, page({ code: "c", state: "3" }), null],
    [formPost, page({ code: "", state: "2" }, "/login"), null],
    [formPost, page({ username: "", password: "" }), null],
    [session, page({ code: "c", state: "2" }), null],
    [saml, page({ SAMLResponse: samlResponse("Success"), RelayState: "r" }), success],
    [saml, page({ SAMLResponse: samlResponse("AuthnFailed") }), failure],
    [saml, page({ SAMLResponse: samlResponse("Success") }, "/idp/continue"), null],
  ])("is read in a login that asked for it", async (own, answer, expected) => {
    expect(await outcomeOf(answer, { session: own })).toEqual(expected);
  });
});

describe("requests of machines", () => {
  it.each([
    ["/token", 400],
    ["/introspect", 401],
    ["/register", 403],
    ["/device/code", 400],
    ["/par", 422],
  ])("POST %s answered with %i is no failure, with or without a session", async (path, status) => {
    const headers = { "user-agent": "okhttp/4.12.0" };
    for (const own of [null, session]) {
      expect(await outcomeOf({ status }, { path, method: "POST", headers, session: own })).toBeNull();
    }
    expect(await outcomeOf({ status }, { path, method: "POST", headers: call })).toBeNull();
  });
});

it("is a login, a sign-up, a failure of either, or a pass-through", () => {
  const types = [success, failure].flatMap((outcome) =>
    [true, false].flatMap((isSignup) =>
      [true, false].map((hasPage) => outcomeTypeOf(outcome as Outcome, { isSignup, hasPage })),
    ),
  );
  expect(types).toEqual(["ss", "ss", "s", "p", "fs", "fs", "f", "f"]);
});
