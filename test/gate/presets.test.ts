/** The presets are data: they are checked by the formats of model/provider.ts, and their compiled rules by a table each. */
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { Address } from "../../src/assignment/address.ts";
import type { Session } from "../../src/assignment/session.ts";
import { classify } from "../../src/gate/classify.ts";
import { scanHeaders } from "../../src/gate/header-scan.ts";
import { beginLogin, startsLogin } from "../../src/gate/login.ts";
import { readOutcome } from "../../src/gate/outcome.ts";
import { presets } from "../../src/gate/presets/presets.ts";
import { compileRules } from "../../src/gate/rules.ts";
import { flowName } from "../../src/model/flow.ts";
import { outcomeRule, pathPatterns, providerName } from "../../src/model/provider.ts";
import { cases as auth0 } from "./presets/auth0.table.ts";
import { app, type CaseResponse } from "./presets/case.ts";
import { cases as cognito } from "./presets/cognito.table.ts";
import { cases as entra } from "./presets/entra.table.ts";
import { cases as fusionauth } from "./presets/fusionauth.table.ts";
import { cases as keycloak } from "./presets/keycloak.table.ts";
import { cases as oidc } from "./presets/oidc.table.ts";
import { cases as okta } from "./presets/okta.table.ts";
import { cases as ory } from "./presets/ory.table.ts";
import { cases as saml } from "./presets/saml.table.ts";
import { cases as zitadel } from "./presets/zitadel.table.ts";
import { tenantOf } from "./tenant.ts";

const tables = { oidc, auth0, keycloak, cognito, okta, entra, ory, zitadel, fusionauth, saml };

const kinds = {
  navigation: { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
  fetch: { accept: "*/*", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
};
const origin = "https://login.example.com";

/** A login that began with the state `st` and an answer by a form that posts itself, so that forms are looked at. */
function sessionOf(rules: ReturnType<typeof compileRules>): Session {
  const query = "client_id=a&response_type=code&state=st&response_mode=form_post";
  const request = new Request(`${origin}/begin?${query}`, { headers: kinds.navigation });
  const url = new Address(request.url);
  const classified = classify(request, url, scanHeaders(request.headers), rules);
  return {
    deviceId: "d",
    userUnit: null,
    issuedAtSeconds: 0,
    pins: [],
    decided: [],
    login: beginLogin(request, url, classified, null),
    redirect: null,
    hasPage: true,
    isSignup: false,
    isForced: false,
    hasSucceeded: false,
  };
}

const values: Readonly<Record<string, string>> = { state: "st" };

function responseOf({ status, location, json, form, autoPost }: CaseResponse): Response {
  const headers = new Headers();
  if (location !== undefined) headers.set("location", location);
  if (json !== undefined) headers.set("content-type", "application/json");
  if (form !== undefined) headers.set("content-type", "text/html");
  const fields = form?.map((name) => `<input name="${name}" value="${values[name] ?? "v"}">`).join("");
  const page = form && `<!doctype html><form method="post" action="${autoPost ? app : "/next"}">${fields}</form>`;
  return new Response(json === undefined ? (page ?? null) : JSON.stringify(json), { status, headers });
}

it("there is a preset and a table for every provider", () => {
  expect(Object.keys(presets).sort()).toEqual([...providerName.options].sort());
  expect(Object.keys(tables).sort()).toEqual([...providerName.options].sort());
});

describe.each(providerName.options)("%s", (provider) => {
  const preset = presets[provider];

  it("has valid rules", () => {
    const paths = [
      ...(preset.ignored ?? []),
      ...preset.starts.map(({ path }) => path),
      ...preset.pages.map(({ path }) => path),
    ];
    expect(() => v.parse(pathPatterns, paths)).not.toThrow();
    for (const { flow, step, query } of preset.pages) {
      expect(v.is(flowName, flow)).toBe(true);
      expect(step).toMatch(/^[\w-]{1,64}$/);
      if (query !== undefined) expect(query).toMatch(/^[\w-]+=[\w-]+$/);
    }
    for (const rule of preset.outcomes) expect(() => v.parse(outcomeRule, rule)).not.toThrow();
  });

  it("sees successes in sequences whose failures it sees", () => {
    const outcomes = tables[provider].map(([, , , , { outcome }]) => outcome);
    expect(outcomes.some((outcome) => outcome !== undefined && outcome !== "failure")).toBe(true);
  });

  it("counts no failure of a machine's request", () => {
    for (const { outcome, method, request, path } of preset.outcomes) {
      if (outcome !== "failure") continue;
      expect(method).toBe("POST");
      expect(request === "navigation" || (request === "fetch" && path !== undefined)).toBe(true);
    }
  });

  const tenant = tenantOf({ provider, hosts: ["login.example.com"] });
  const rules = compileRules(tenant);
  const session = sessionOf(compileRules(tenantOf()));

  it.each(tables[provider])("%s %s by %s, %o", async (method, path, kind, response, expected) => {
    const request = new Request(`${origin}${path}`, { method, headers: kinds[kind] });
    const url = new Address(request.url);
    const classified = classify(request, url, scanHeaders(request.headers), rules);
    expect(classified.isStart).toBe(expected.starts === true);
    const flow = expected.page?.split("/")[0] ?? null;
    if (kind === "navigation" || flow !== null) expect(classified.flow).toBe(flow);
    if (kind === "navigation") expect(classified.isSignup).toBe(expected.page?.endsWith("/signup") === true);
    const beginsSession = classified.isStart && startsLogin(request, url, classified, session);
    const exchange = { request, url, tenant, rules, classified, session, beginsSession };
    const { outcome } = await readOutcome({ ...exchange, response: responseOf(response) });
    expect(outcome?.kind).toBe(expected.outcome);
  });
});
