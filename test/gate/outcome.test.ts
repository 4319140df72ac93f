import { describe, expect, it } from "vitest";
import { Address } from "../../src/assignment/address.ts";
import { outcomeTypeOf, readOutcome } from "../../src/gate/outcome.ts";
import { compileRules } from "../../src/gate/rules.ts";
import { tenantOf } from "./tenant.ts";

interface Answer {
  status: number;
  location?: string;
}

function outcomeOf({ status, location }: Answer, { path = "/auth/x", method = "GET", tenant = {} } = {}) {
  const request = new Request(`https://login.example.com${path}`, { method });
  const response = new Response(null, { status, headers: location === undefined ? {} : { location } });
  return readOutcome(request, new Address(request.url), response, compileRules(tenantOf(tenant)).outcomes);
}

const app = "https://app.example.net/callback";
const success = { succeeded: true, ends: true };
const failure = { succeeded: false, ends: true };
const tryAgain = { succeeded: false, ends: false };

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
  ])("to %s is %o", (location, expected) => {
    for (const status of [301, 302, 303, 307, 308]) expect(outcomeOf({ status, location })).toEqual(expected);
  });

  it("counts only as a redirect", () => {
    expect(outcomeOf({ status: 200, location: `${app}?code=abc` })).toBeNull();
  });
});

describe("a refused form", () => {
  it.each([
    ["oidc", "/interaction/x", 400, tryAgain],
    ["oidc", "/interaction/x", 200, null],
    ["auth0", "/u/login/password", 400, tryAgain],
    ["auth0", "/other", 400, null],
    ["keycloak", "/realms/a/login-actions/authenticate", 200, null],
  ])("of %s at %s with %i", (provider, path, status, expected) => {
    expect(outcomeOf({ status }, { path, method: "POST", tenant: { provider } })).toEqual(expected);
  });

  it("is no refusal when nothing was sent", () => {
    expect(outcomeOf({ status: 400 })).toBeNull();
  });

  it("of cognito is a redirect with error=, and the application's own refusal ends the log-in", () => {
    const tenant = { provider: "cognito" };
    expect(
      outcomeOf({ status: 302, location: "/login?error=bad" }, { path: "/login", method: "POST", tenant }),
    ).toEqual(tryAgain);
    expect(
      outcomeOf(
        { status: 302, location: `${app}?error=access_denied&state=x` },
        { path: "/login", method: "POST", tenant },
      ),
    ).toEqual(failure);
  });
});

it("a tenant's own rules come first", () => {
  const tenant = {
    outcomes: [
      { outcome: "success", method: "POST", path: "/api/login", status: [204] },
      { outcome: "failure", path: "/saml/**", location_parameter: "SAMLError" },
    ],
  };
  expect(outcomeOf({ status: 204 }, { path: "/api/login", method: "POST", tenant })).toEqual(success);
  expect(outcomeOf({ status: 302, location: "/x?SAMLError=1" }, { path: "/saml/acs", tenant })).toEqual(tryAgain);
});

it("has four types", () => {
  expect([true, false].flatMap((isSignup) => [success, failure].map((each) => outcomeTypeOf(each, isSignup)))).toEqual([
    "ss",
    "fs",
    "s",
    "f",
  ]);
});
