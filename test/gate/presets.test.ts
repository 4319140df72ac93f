/**
 * The presets are data: here they are checked by the formats of model/provider.ts, and against a table per provider by a
 * reading of the rules in preset.ts that is as plain as possible.
 */
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import type { Preset } from "../../src/gate/presets/preset.ts";
import { presets } from "../../src/gate/presets/presets.ts";
import { flowName } from "../../src/model/flow.ts";
import { type OutcomeRule, outcomeRule, pathPatterns, providerName } from "../../src/model/provider.ts";
import { cases as auth0 } from "./presets/auth0.table.ts";
import type { CaseResponse, Expected, PresetCase } from "./presets/case.ts";
import { cases as cognito } from "./presets/cognito.table.ts";
import { cases as entra } from "./presets/entra.table.ts";
import { cases as fusionauth } from "./presets/fusionauth.table.ts";
import { cases as keycloak } from "./presets/keycloak.table.ts";
import { cases as oidc } from "./presets/oidc.table.ts";
import { cases as okta } from "./presets/okta.table.ts";
import { cases as ory } from "./presets/ory.table.ts";
import { cases as saml } from "./presets/saml.table.ts";
import { cases as zitadel } from "./presets/zitadel.table.ts";

const tables = { oidc, auth0, keycloak, cognito, okta, entra, ory, zitadel, fusionauth, saml };

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return path.length === 0;
  if (first === "**") return matches(rest, path) || (path.length > 0 && matches(pattern, path.slice(1)));
  const segment = path[0];
  if (segment === undefined) return false;
  const expression = new RegExp(`^${first.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`, "i");
  return expression.test(segment) && matches(rest, path.slice(1));
}

const segments = (path: string) => path.split("/").filter((segment) => segment !== "");
const isOn = (pattern: string, url: URL) => matches(segments(pattern), segments(url.pathname));

function hasPair(url: URL, pair: string): boolean {
  const at = pair.indexOf("=");
  return url.searchParams.getAll(pair.slice(0, at)).includes(pair.slice(at + 1));
}

function memberOf(value: unknown, path: string): unknown {
  let current = value;
  for (const name of path.split(".")) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, name)) return undefined;
    current = (current as Record<string, unknown>)[name];
  }
  return current;
}

const success = ["code", "id_token", "access_token", "response", "SAMLResponse"];

function parametersOf(target: URL): URLSearchParams {
  return new URLSearchParams([...target.searchParams, ...new URLSearchParams(target.hash.slice(1))]);
}

/** The rules every provider has, in the gate and not in presets. */
function genericOutcome(url: URL, response: CaseResponse): OutcomeRule["outcome"] | undefined {
  if (response.location !== undefined) {
    const target = new URL(response.location, url);
    const parameters = parametersOf(target);
    if (target.host === url.host) return undefined;
    if (parameters.has("error")) return "failure";
    if (success.some((name) => parameters.has(name))) return "success";
  }
  if (response.autoPost && response.form?.includes("error")) return "failure";
  if (response.autoPost && ["code", "id_token", "response"].some((name) => response.form?.includes(name)))
    return "success";
  for (const member of Object.values((response.json as object | undefined) ?? {})) {
    if (typeof member !== "string" || !URL.canParse(member)) continue;
    const parameters = parametersOf(new URL(member));
    if (parameters.get("state") === "st" && parameters.has("code")) return "success";
  }
  return undefined;
}

function fits(rule: OutcomeRule, [method, , request, response]: PresetCase, url: URL): boolean {
  const location = response.location === undefined ? null : parametersOf(new URL(response.location, url));
  const { json } = rule;
  const member = json && memberOf(response.json, json.member);
  return (
    (rule.method === undefined || rule.method === method) &&
    (rule.request === undefined || rule.request === request) &&
    (rule.path === undefined || isOn(rule.path, url)) &&
    (rule.status === undefined || rule.status.includes(response.status)) &&
    (rule.location_parameter === undefined || location?.has(rule.location_parameter) === true) &&
    (rule.form_field === undefined || response.form?.includes(rule.form_field) === true) &&
    (json === undefined || (json.equals === undefined ? Boolean(member) : member === json.equals))
  );
}

function read(preset: Preset, row: PresetCase): Expected {
  const [method, address, request, response] = row;
  const url = new URL(address, "https://login.example.com");
  const ignored = preset.ignored?.some((pattern) => isOn(pattern, url)) === true;
  const query = url.searchParams;
  const looksLikeStart =
    preset.startsByQuery &&
    ((query.has("client_id") && ["response_type", "request_uri", "request"].some((name) => query.has(name))) ||
      query.has("SAMLRequest"));
  const starts =
    !ignored &&
    request === "navigation" &&
    (looksLikeStart ||
      preset.starts.some(({ path, methods = ["GET"] }) => methods.includes(method) && isOn(path, url)));
  const rule = preset.pages.find((each) => isOn(each.path, url) && (!each.query || hasPair(url, each.query)));
  const otherPage = request === "navigation" && preset.otherPages ? (`${preset.otherPages}/page` as const) : undefined;
  const page = rule ? (`${rule.flow}/${rule.step}` as const) : starts ? ("authentication/start" as const) : otherPage;
  const outcome = preset.outcomes.find((each) => fits(each, row, url))?.outcome ?? genericOutcome(url, response);
  return {
    ...(starts ? { starts } : {}),
    ...(page && !ignored ? { page } : {}),
    ...(outcome && !ignored ? { outcome } : {}),
  };
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

  it("links its documentation", () => {
    expect(preset.documentation.length).toBeGreaterThan(1);
    for (const link of preset.documentation) expect(new URL(link).protocol).toBe("https:");
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

  it.each(tables[provider])("%s %s by %s, %o", (...row) => {
    expect(read(preset, row)).toEqual(row[4]);
  });
});
