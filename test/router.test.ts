import { describe, expect, it } from "vitest";
import { createRouter } from "../src/router.ts";
import { readSettings } from "../src/settings.ts";

const key = "A".repeat(43);
const settings = readSettings({
  COOKIE_KEYS: `k1:${key}`,
  STAMP_KEY: key,
  ORIGIN: "https://id.example.com",
  ADMIN_HOSTS: "admin.example.com, my_admin.example.com:8443",
  TENANTS: JSON.stringify({
    acme: { hosts: ["acme.test", "[2001:db8::1]"], overrides: "signed" },
    under: { hosts: ["*.my_acme.test"] },
    port: { hosts: ["acme.test:8443"] },
  }),
});
const router = createRouter(settings);

describe("a host, however it is spelled, leads to its tenant", () => {
  it.each([
    ["acme.test", "acme"],
    ["ACME.TEST", "acme"],
    ["acme.test.", "acme"],
    ["Acme.Test.:443", "acme"],
    ["acme.test:80", "acme"],
    ["acme.test:8080", "acme"],
    ["acme.test:8443", "port"],
    ["ACME.test.:8443", "port"],
    ["[2001:DB8:0:0::1]:8443", "acme"],
    ["a.my_acme.test", "under"],
    ["A.MY_ACME.TEST.", "under"],
    ["my_acme.test", "default"],
    ["other.test", "default"],
    ["", "default"],
  ])("%s: %s", (host, id) => {
    expect(router.routeOf(host)?.id).toBe(id);
    expect(router.routeOf(host)?.id).toBe(id);
  });
});

it("so does an admin host", () => {
  expect(settings.errors).toEqual([]);
  for (const host of [
    "admin.example.com",
    "ADMIN.example.com.",
    "admin.example.com:443",
    "MY_admin.example.com:8443",
  ]) {
    expect(router.isAdminHost(host)).toBe(true);
  }
  for (const host of ["admin.example.com.evil.net", "my_admin.example.com", "xadmin.example.com"]) {
    expect(router.isAdminHost(host)).toBe(false);
  }
});
