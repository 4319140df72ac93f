import { describe, expect, it } from "vitest";
import { hostMatches } from "../src/model/host.ts";
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

describe("hostMatches", () => {
  it.each([
    ["*", "login.example.com", true],
    ["login.example.com", "login.example.com", true],
    ["login.example.com", "login.example.com:8443", true],
    ["login.example.com:8443", "login.example.com", false],
    ["*.example.com", "a.b.example.com", true],
    ["*.example.com", "example.com", false],
    ["*.example.com", "evilexample.com", false],
    ["example.com", "example.com.evil.net", false],
  ])("%s and %s: %s", (pattern, host, expected) => {
    expect(hostMatches(pattern, host)).toBe(expected);
  });
});
