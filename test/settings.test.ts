import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRouter } from "../src/router.ts";
import { readSettings, type Variables } from "../src/settings.ts";

const key = "A".repeat(43);
const good = {
  COOKIE_KEYS: `k1:${key}`,
  STAMP_KEY: key,
};
const read = (vars: Variables) => readSettings({ ...good, ...vars });

describe("readSettings", () => {
  it.each([{ LOG_RETENTION_DAYS: "0" }, { LOG_RETENTION_DAYS: "a month" }, { LOG_MAX_MB: "100000" }])(
    "refuses a log that cannot be kept: %o",
    (vars) =>
      expect(read(vars).errors).toEqual([expect.stringMatching(`^${Object.keys(vars)[0]}: must be a number from`)]),
  );

  it("takes the least there is: everything on every host goes where it came from", () => {
    const settings = read({});
    expect(settings.errors).toEqual([]);
    expect(settings.routes).toMatchObject([
      { hosts: ["*"], tenant: { id: "default", provider: "oidc", overrides: "open" } },
    ]);
    expect(settings.decisionBudgetMs).toBe(200);
    expect(settings.snapshotFreshMs).toBe(30_000);
    expect(settings.managementRate).toBe(100);
    expect(settings.fetchRate).toBe(10_000);
    expect(settings.adminToken).toBeNull();
  });

  it.each(["fifteen letters", "long enough, but not one word", "l\u00f6ng-enough-for-a-token"])(
    "refuses a root token that is short or could not be sent: %s",
    (ADMIN_TOKEN) => expect(read({ ADMIN_TOKEN }).errors).toEqual([expect.stringMatching(/^ADMIN_TOKEN: /)]),
  );

  it("serves the tenant default on every host with ORIGIN", () => {
    const settings = read({ ORIGIN: "https://id.example.com/", ADMIN_HOSTS: "admin.example.com, localhost:8787" });
    expect(settings.errors).toEqual([]);
    expect(settings.routes).toMatchObject([{ tenant: { id: "default", origin: "https://id.example.com" } }]);
    expect(settings.adminHosts).toEqual(["admin.example.com", "localhost:8787"]);
  });

  it("lets TENANTS add to the default tenant, which keeps ORIGIN and every host", () => {
    const settings = read({
      ORIGIN: "https://id.example.com",
      TENANTS: JSON.stringify({
        default: { inject: "attributes" },
        acme: { hosts: ["login.acme.com"], provider: "auth0" },
      }),
    });
    expect(settings.errors).toEqual([]);
    expect(settings.routes).toMatchObject([
      { hosts: ["*"], tenant: { id: "default", origin: "https://id.example.com", inject: "attributes" } },
      { hosts: ["login.acme.com"], tenant: { id: "acme", provider: "auth0" } },
    ]);
  });

  it("names every error at once", () => {
    const { errors } = read({
      ORIGIN: "ftp://id.example.com",
      COOKIE_KEYS: "k1:short,no colon",
      STAMP_KEY: "not base64url!",
      ADMIN_HOSTS: "exa mple",
      ADMIN_TOKEN: "short",
      DECISION_BUDGET_MS: "soon",
      SNAPSHOT_FRESH_SECONDS: "-1",
      MANAGEMENT_RATE: "0",
      TENANTS: JSON.stringify({
        "Bad Name": { hosts: [] },
        acme: { hosts: ["acme.com"], provider: "ping", inject: 1, management: { issuer: "here", jwks_uri: "" } },
      }),
    });
    for (const part of [
      "ORIGIN: ",
      "COOKIE_KEYS: the secret of k1",
      "COOKIE_KEYS: a key id",
      "STAMP_KEY: ",
      "ADMIN_HOSTS: ",
      "ADMIN_TOKEN: ",
      "DECISION_BUDGET_MS: ",
      "SNAPSHOT_FRESH_SECONDS: ",
      "MANAGEMENT_RATE: ",
      "TENANTS.Bad Name: a tenant's name",
      "TENANTS.Bad Name: hosts",
      "TENANTS.acme: provider",
      "TENANTS.acme: inject",
      "TENANTS.acme: management.issuer",
      "TENANTS.acme: management.jwks_uri",
      "TENANTS.acme: management.audience",
    ]) {
      expect(
        errors.some((error) => error.startsWith(part)),
        part,
      ).toBe(true);
    }
  });

  it("reads where cohorts may be fetched from, and names what no such host is", () => {
    expect(read({}).cohortHosts).toEqual([]);
    const settings = read({ COHORT_HOSTS: "data.example.com, *.example.org,http://127.0.0.1:9000" });
    expect(settings.errors).toEqual([]);
    expect(settings.cohortHosts).toEqual(["data.example.com", "*.example.org", "http://127.0.0.1:9000"]);
    const { errors } = read({ COHORT_HOSTS: "data.example.com, localhost, 10.0.0.5" });
    expect(errors).toEqual([
      expect.stringMatching(/^COHORT_HOSTS: "localhost" must be/),
      expect.stringMatching(/^COHORT_HOSTS: "10.0.0.5" must be/),
    ]);
  });

  it("still routes a tenant whose other settings are wrong", () => {
    const settings = read({
      TENANTS: JSON.stringify({ acme: { hosts: ["acme.com"], origin: "https://id.acme.com", provider: "ping" } }),
    });
    expect(settings.errors).toHaveLength(1);
    expect(settings.sharedErrors).toEqual([]);
    expect(settings.routes).toMatchObject([{ hosts: ["acme.com"], tenant: null, origin: "https://id.acme.com" }]);
  });

  it.each(["not json", "[]", "null", '"text"', "{"])("says what TENANTS must be: %s", (TENANTS) => {
    expect(read({ TENANTS }).errors.some((error) => error.startsWith("TENANTS: "))).toBe(true);
  });

  it("refuses a host that two tenants claim, and the same key id twice", () => {
    const { errors } = read({
      COOKIE_KEYS: `k1:${key},k1:${key}`,
      TENANTS: JSON.stringify({ a: { hosts: ["x.com"] }, b: { hosts: ["x.com"] } }),
    });
    expect(errors).toEqual([expect.stringContaining("x.com"), expect.stringContaining("k1 is used twice")]);
  });

  it("says nothing of a secret's value", () => {
    expect(JSON.stringify(read({ COOKIE_KEYS: "k1:hunter2", STAMP_KEY: "hunter2" }).errors)).not.toContain("hunter2");
  });
});

describe("errors of one tenant", () => {
  const acme = { hosts: ["login.acme.com"], origin: "https://id.acme.com" };
  const readTenants = (tenants: unknown, vars: Variables = {}) => read({ TENANTS: JSON.stringify(tenants), ...vars });

  it("are no errors that all share, and leave the others as they are", () => {
    const { errors, sharedErrors, routes } = readTenants({
      acme: { ...acme, inject: 1 },
      wide: { hosts: ["*.wide.com"], origin: "https://id.wide.com" },
    });
    expect(errors).toEqual([expect.stringMatching(/^TENANTS.acme: inject/)]);
    expect(sharedErrors).toEqual([]);
    expect(routes.map(({ id, tenant }) => [id, tenant?.id])).toEqual([
      ["acme", undefined],
      ["wide", "wide"],
    ]);
  });

  it.each([{ COOKIE_KEYS: "" }, { STAMP_KEY: "" }, { ORIGIN: "ftp://x" }, { TENANTS: "{" }, { FETCH_RATE: "0" }])(
    "are not those of what all share: %o",
    (vars) => {
      const { errors, sharedErrors } = read(vars);
      expect(sharedErrors).toEqual(errors);
      expect(errors.length).toBeGreaterThan(0);
    },
  );

  it.each([
    ["id.acme.com", "https://id.acme.com"],
    ["id.acme.com:8443", "https://id.acme.com:8443"],
    ["//id.acme.com", "https://id.acme.com"],
    ["HTTP://id.acme.com/path?query", "http://id.acme.com"],
    [" id.acme.com ", "https://id.acme.com"],
    ["https://user:password@id.acme.com", "https://id.acme.com"],
    ["ftp://id.acme.com", undefined],
    ["", undefined],
    [5, undefined],
    [null, undefined],
  ])("leave the origin readable: %j", (origin, expected) => {
    const { routes, errors } = readTenants({ acme: { ...acme, origin } });
    expect(routes).toMatchObject([{ tenant: null, hosts: ["login.acme.com"], origin: expected }]);
    expect(errors).toEqual([expect.stringMatching(/^TENANTS.acme: origin/)]);
    expect(read({ ORIGIN: typeof origin === "string" ? origin : "" }).routes[0]?.origin).toBe(expected);
  });

  it("leave the hosts that are right", () => {
    const { routes } = readTenants({ acme: { ...acme, hosts: ["exa mple", 5, "LOGIN.acme.com.", "*.acme.com"] } });
    expect(routes).toMatchObject([{ tenant: null, hosts: ["login.acme.com", "*.acme.com"] }]);
  });

  it("are those of the later of two that claim a host: the first is served", () => {
    const { routes, errors } = readTenants({
      acme,
      late: { hosts: ["LOGIN.ACME.COM", "late.com"], origin: "https://id.late.com" },
    });
    expect(errors).toEqual(["TENANTS.late: the host login.acme.com belongs to the tenant acme"]);
    expect(routes).toMatchObject([
      { id: "acme", hosts: ["login.acme.com"], tenant: { id: "acme" } },
      { id: "late", hosts: ["late.com"], tenant: null, origin: "https://id.late.com" },
    ]);
  });

  it("leave the reserved query names, however they are written", () => {
    const names = (stamp: unknown) => readTenants({ acme: { ...acme, stamp } }).routes[0]?.reservedQueryNames;
    expect(names({ query: { variation_id: "ext-variation" } })).toEqual(["ext-variation"]);
    expect(names({ query: { variation_id: "ext-a", nonsense: "ext b", stamp: 5, more: "" } })).toEqual([
      "ext-a",
      "ext b",
    ]);
    expect(names({ query: ["ext-a", "ext-a"] })).toEqual(["ext-a"]);
    expect(names({ query: { variation_id: "client_id", method: "Relay.State", stamp: "Client.ID" } })).toEqual([
      "Relay.State",
    ]);
    for (const stamp of [null, "x", { query: null }, [], 5]) expect(names(stamp)).toEqual([]);
  });

  it("are names of parameters that logins need", () => {
    const { errors } = readTenants({ acme: { ...acme, stamp: { query: { variation_id: "State" } } } });
    expect(errors).toEqual([expect.stringMatching(/^TENANTS.acme: stamp.query.variation_id: a parameter of OpenID/)]);
  });

  it.each(["^(a+)+$", "(?=a)", "(a)\\1", "(", "a".repeat(300)])("are patterns that cannot be used: %s", (pattern) => {
    const { errors } = readTenants({ acme: { ...acme, consent: { cookie: "cc", pattern } } });
    const isRefused = pattern !== "^(a+)+$";
    expect(errors.length).toBe(isRefused ? 1 : 0);
    if (isRefused) expect(errors[0]).toMatch(/^TENANTS.acme: consent.pattern: .{20,}/);
  });
});

describe("tenant options", () => {
  const acme = { hosts: ["login.acme.com"], origin: "https://id.acme.com" };
  const readAcme = (options: object, vars: Variables = {}) =>
    read({ TENANTS: JSON.stringify({ acme: { ...acme, ...options } }), ...vars });

  it.each(["oidc", "auth0", "keycloak", "cognito", "okta", "entra", "ory", "zitadel", "fusionauth", "saml"])(
    "take the provider %s",
    (provider) => expect(readAcme({ provider }).errors).toEqual([]),
  );

  it("take hosts as they are written anywhere", () => {
    const hosts = ["my_login.example.com", "[2001:DB8::1]:8443", "bücher.example", "Login.Example.com."];
    const ADMIN_HOSTS = "my_admin.example.com, ADMIN.example.com";
    const { errors, routes, adminHosts } = readAcme({ hosts }, { ADMIN_HOSTS });
    expect(errors).toEqual([]);
    expect(routes[0]?.hosts).toEqual([
      "my_login.example.com",
      "[2001:db8::1]:8443",
      "xn--bcher-kva.example",
      "login.example.com",
    ]);
    expect(adminHosts).toEqual(["my_admin.example.com", "admin.example.com"]);
  });

  it("take pages of flows", () => {
    const pages = [{ path: "/mfa/**", flow: "mfa_challenge" }];
    const { errors, routes } = readAcme({ pages });
    expect(errors).toEqual([]);
    expect(routes[0]?.tenant?.pages).toEqual([{ path: "/mfa/**", flow: "mfa_challenge", step: "page" }]);
    expect(readAcme({ pages: [{ path: "mfa", flow: "none" }] }).errors).toHaveLength(2);
  });

  it.each([
    ["null", "null"],
    ["a list", "[]"],
    ["hosts that are no list", '{"hosts":"login.acme.com"}'],
    ["hosts that are none", '{"hosts":["not a host"]}'],
    ["an origin that is none", '{"origin":null}'],
  ])("of the default tenant that are wrong leave every host to ORIGIN: %s", (_, text) => {
    const ORIGIN = "https://id.example.com";
    const { errors, routes } = read({ ORIGIN, TENANTS: `{"default":${text}}` });
    expect(errors).toEqual([expect.stringMatching(/^TENANTS.default: /)]);
    expect(routes).toMatchObject([{ id: "default", hosts: ["*"], origin: ORIGIN, tenant: null }]);
    const TENANTS = `{"default":${text},"acme":{"hosts":["*.acme.com"],"origin":"https://id.acme.com"}}`;
    const beside = read({ ORIGIN, TENANTS });
    expect(beside.errors).toEqual(errors);
    expect(beside.routes[1]).toMatchObject({ id: "acme", hosts: ["*.acme.com"], tenant: { id: "acme" } });
  });

  it("take headers for the origin, and secret ones before plain ones", () => {
    const ORIGIN_HEADERS = JSON.stringify({ acme: { "cname-api-key": "secret", "X-Lane": "green" } });
    const options = { origin_headers: { "X-Lane": "blue", "x-plain": "1" }, origin_host: "ID.acme.com" };
    const { errors, routes } = readAcme(options, { ORIGIN_HEADERS });
    expect(errors).toEqual([]);
    const expected = { "cname-api-key": "secret", "x-lane": "green", "x-plain": "1" };
    expect(routes[0]?.tenant).toMatchObject({ origin_headers: expected, origin_host: "id.acme.com" });
    expect(routes[0]).toMatchObject({ originHeaders: expected, originHost: "id.acme.com" });
  });

  it.each([
    "host",
    "Connection",
    "transfer-encoding",
    "cookie",
    "x-experiment-id",
    "X_Experiment_Id",
    "x-vestibule-client-ip",
    "x-forwarded-for",
    "X_Forwarded_Host",
    "forwarded",
    "a b",
    "",
  ])("take no header that is ours or no header's name: %j", (name) => {
    const plain = readAcme({ origin_headers: { [name]: "value" } });
    const secret = readAcme({}, { ORIGIN_HEADERS: JSON.stringify({ acme: { [name]: "value" } }) });
    for (const { errors, routes } of [plain, secret]) {
      expect(errors).toEqual([expect.stringMatching(/^TENANTS.acme: (origin_headers|ORIGIN_HEADERS)/)]);
      expect(routes[0]).toMatchObject({ tenant: null, originHeaders: {} });
    }
  });

  it.each([
    ["not json hunter2", /^ORIGIN_HEADERS: not JSON/],
    ['["hunter2"]', /^ORIGIN_HEADERS: not an object/],
    ['{"acme":"hunter2"}', /^TENANTS.acme: ORIGIN_HEADERS: must be an object/],
    ['{"acme":{"x-key":"hunter2\\n"}}', /^TENANTS.acme: ORIGIN_HEADERS: "x-key": a header value/],
    ['{"acme":{"x-key":["hunter2"]}}', /^TENANTS.acme: ORIGIN_HEADERS: "x-key": a header value/],
    ['{"other":{"x-key":"hunter2"}}', /^ORIGIN_HEADERS: there is no tenant "other"/],
  ])("name what is wrong with secret headers, without a value: %s", (ORIGIN_HEADERS, expected) => {
    const { errors } = readAcme({}, { ORIGIN_HEADERS });
    expect(errors).toEqual([expect.stringMatching(expected)]);
    expect(errors.join()).not.toContain("hunter2");
  });

  it("take no list of headers for the origin, which has no names", () => {
    const { errors, routes } = readAcme({ origin_headers: ["hunter2"] });
    expect(errors).toEqual(["TENANTS.acme: origin_headers: must be an object, not a list"]);
    expect(routes[0]).toMatchObject({ tenant: null, originHeaders: {} });
  });

  it("say nothing of a plain header's value either", () => {
    const { errors } = readAcme({ origin_headers: { "x-key": "hunter2\n", "x-other": ["hunter2"] } });
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.join()).not.toContain("hunter2");
  });

  it("take an origin_host only beside an origin", () => {
    expect(readAcme({ origin: undefined, origin_host: "id.acme.com" }).errors).toEqual([
      expect.stringMatching(/^TENANTS.acme: origin_host: needs an origin/),
    ]);
    expect(readAcme({ origin_host: "*" }).errors).toHaveLength(1);
  });
});

describe("whatever the variables hold", () => {
  const names = [
    ...["ORIGIN", "ADMIN_HOSTS", "TENANTS", "COOKIE_KEYS", "STAMP_KEY", "UNIT_KEY", "ADMIN_TOKEN", "ORIGIN_HEADERS"],
    ...["DECISION_BUDGET_MS", "COHORT_HOSTS", "LOG_STREAM_HOSTS", "LOG_MAX_MB", "LEDGER_SHARDS", "FETCH_RATE"],
  ];

  function expectSettings(vars: unknown): void {
    const settings = readSettings(vars as Variables);
    expect(settings.errors).toEqual(expect.arrayContaining([...settings.sharedErrors]));
    for (const { hosts, originHeaders, reservedQueryNames } of settings.routes) {
      expect(Array.isArray(hosts) && Array.isArray(reservedQueryNames) && typeof originHeaders === "object").toBe(true);
    }
    const router = createRouter(settings);
    for (const host of ["", "login.acme.com", "[", "a:b:c", "\ud800", "*", "x".repeat(5_000)]) {
      router.routeOf(host);
      router.isAdminHost(host);
      router.servingTenants(host);
    }
  }

  const odd = fc.oneof(
    fc.constantFrom("", "{", "[]", "null", "\ud800", "http://", "https://[", "id.example.com", "*", "__proto__"),
    fc.constantFrom("x".repeat(100_000), "[".repeat(50_000), '{"a":'.repeat(20_000)),
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.anything(),
  );

  it("it never throws: anything in any variable", () =>
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), odd), (vars) => expectSettings({ ...good, ...vars })),
      { numRuns: 500 },
    ));

  const whole = {
    hosts: ["login.acme.com", "*.acme.com"],
    origin: "https://id.acme.com",
    origin_host: "id.acme.com",
    origin_headers: { "x-lane": "blue" },
    provider: "auth0",
    paths: ["/portal/*"],
    signup_paths: ["/join"],
    authorize_paths: ["/go"],
    pages: [{ path: "/mfa/**", flow: "mfa_challenge", step: "otp" }],
    outcomes: [{ outcome: "failure", method: "POST", path: "/u/**", status: [400], json: { member: "a", equals: 1 } }],
    stamp: { query: { variation_id: "ext-variation" } },
    consent: { cookie: "cc", pattern: "analytics=yes" },
    device_cookie: "did",
    user: { issuer: "https://id.acme.com", jwks_uri: "https://id.acme.com/jwks", token: "cookie:t" },
    management: { issuer: "https://id.acme.com", jwks_uri: "https://id.acme.com/jwks", audience: "a" },
    diagnosis: {},
  };

  it("of which a whole tenant is right", () => {
    expect(read({ TENANTS: JSON.stringify({ acme: whole }) }).errors).toEqual([]);
  });

  type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

  /** Puts `value` at the place in `json` that `at` chooses. */
  function mutate(json: Json, at: readonly number[], value: Json): Json {
    if (at.length === 0 || json === null || typeof json !== "object") return value;
    const keys = Object.keys(json);
    if (keys.length === 0) return value;
    const key = keys[(at[0] ?? 0) % keys.length] ?? "";
    const copy = structuredClone(json) as Record<string, Json>;
    copy[key] = mutate(copy[key] ?? null, at.slice(1), value);
    return copy as Json;
  }

  it("it never throws: anything anywhere in a tenant, and the other tenant is served", () =>
    fc.assert(
      fc.property(fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }), odd, (at, value) => {
        let json: Json;
        try {
          json = JSON.parse(JSON.stringify(value) ?? "null");
        } catch {
          json = "\ud800";
        }
        const acme = mutate(whole as unknown as Json, at, json);
        const TENANTS = JSON.stringify({ wide: { hosts: ["wide.com"], origin: "https://id.wide.com" }, acme });
        expectSettings({ ...good, TENANTS });
        const { sharedErrors, routes } = read({ TENANTS });
        expect(sharedErrors).toEqual([]);
        expect(routes.find(({ id }) => id === "wide")?.tenant).not.toBeNull();
      }),
      { numRuns: 1_000 },
    ));
});
