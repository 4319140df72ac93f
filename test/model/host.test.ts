import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hostMatches, normalizeHost, parseHost, parseHostPattern } from "../../src/model/host.ts";

describe("hostMatches", () => {
  it.each([
    ["*", "login.example.com", true],
    ["login.example.com", "login.example.com", true],
    ["login.example.com", "LOGIN.Example.COM", true],
    ["Login.Example.com", "login.example.com", true],
    ["login.example.com", "login.example.com.", true],
    ["login.example.com.", "login.example.com", true],
    ["login.example.com", "login.example.com.:443", true],
    ["login.example.com", "login.example.com:8443", true],
    ["login.example.com:8443", "login.example.com", false],
    ["login.example.com:8443", "login.example.com:8443", true],
    ["login.example.com:443", "login.example.com", true],
    ["login.example.com:80", "login.example.com:80", true],
    ["login.example.com:443", "login.example.com:8443", false],
    ["*.example.com", "a.b.example.com", true],
    ["*.EXAMPLE.com", "A.example.com.", true],
    ["*.example.com", "example.com", false],
    ["*.example.com", "evilexample.com", false],
    ["*.example.com:8443", "a.example.com:8443", true],
    ["example.com", "example.com.evil.net", false],
    ["my_login.example.com", "my_login.example.com", true],
    ["[2001:DB8:0::1]", "[2001:db8::1]", true],
    ["[2001:db8::1]", "[2001:db8::1]:8443", true],
    ["[2001:db8::1]:8443", "[2001:db8::1]", false],
    ["bücher.example", "xn--bcher-kva.example", true],
    ["*.bücher.example", "login.xn--bcher-kva.example", true],
    ["localhost:8787", "localhost:8787", true],
  ])("%s and %s: %s", (pattern, host, expected) => {
    expect(hostMatches(parseHostPattern(pattern) ?? "none", host)).toBe(expected);
  });
});

it.each([
  "",
  "*.",
  "*.*",
  "exa mple",
  "a..b",
  ".a",
  "a/b",
  "user@a",
  "a?b",
  "a#b",
  "https://a",
  "a:b",
  "a:99999",
  "[::1",
  "::1",
  "a%41",
  "**",
])("refuses %j", (text) => {
  expect(parseHostPattern(text)).toBeNull();
});

it("never throws, and gives a spelling that stays the same", () => {
  return fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.domain(), fc.ipV6(), fc.webAuthority()), (text) => {
      normalizeHost(text);
      const host = parseHost(text);
      if (host !== null) expect(parseHost(host)).toBe(host);
      if (host !== null) expect(normalizeHost(normalizeHost(host))).toBe(normalizeHost(host));
    }),
  );
});
