import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePathPattern, normalizePath, parsePath } from "../../src/gate/path-pattern.ts";

describe("compilePathPattern", () => {
  it.each([
    ["/login", "/login", true],
    ["/login", "/login/", true],
    ["/login/", "/login", true],
    ["/login", "/login;jsessionid=0A1B.node1", true],
    ["/**/logout/**", "/idp/logout;JSESSIONID=0A1B/x", true],
    ["/login", "/login;v=1", false],
    ["/anmelden/für *", "/anmelden/f%C3%BCr%20alle", true],
    ["/login", "/LOGIN", true],
    ["/Login", "/login", true],
    ["/login", "/login/x", false],
    ["/login", "/logins", false],
    ["/login", "/logi", false],
    ["/login", "/login//", false],
    ["/", "/", true],
    ["/", "/x", false],
    ["/portal/*", "/portal/home", true],
    ["/portal/*", "/portal/home/", true],
    ["/portal/*", "/portal/home/x", false],
    ["/portal/*", "/portal", false],
    ["/u/signup-*/**", "/u/signup-id", true],
    ["/u/signup-*/**", "/u/signup-id/password", true],
    ["/u/signup-*/**", "/u/signup", false],
    ["/login/**", "/login", true],
    ["/login/**", "/login/a/b/c", true],
    ["/login/**", "/loginx", false],
    ["/**", "/", true],
    ["/**", "/a/b", true],
    ["/**/signup", "/signup", true],
    ["/**/signup", "/a/b/signup", true],
    ["/**/signup", "/a/b/signup/c", false],
    ["/**/signup", "/xsignup", false],
    ["/**/realms/*/login-actions/**", "/auth/realms/acme/login-actions/authenticate", true],
    ["/**/realms/*/login-actions/**", "/realms/acme/login-actions", true],
    ["/**/realms/*/login-actions/**", "/realms/a/b/login-actions/x", false],
    ["/**/a/**/b", "/a/x/a/y/b", true],
    ["/**/a/**/b", "/b/a", false],
    ["/a*b*c", "/axxbyyc", true],
    ["/a*b*c", "/abc", true],
    ["/a*b*c", "/acb", false],
    ["/a*a", "/a", false],
    ["/a.c", "/abc", false],
    ["/(a+)+$", "/(a+)+$", true],
  ])("%s and %s: %s", (pattern, path, expected) => {
    expect(compilePathPattern(pattern)(parsePath(path))).toBe(expected);
  });

  /** The definition: what a backtracking expression would say, on paths short enough for one. */
  function reference(pattern: string, path: string): boolean {
    const trimmed = pattern.length > 1 && pattern.endsWith("/") ? pattern.slice(0, -1) : pattern;
    const source = trimmed
      .split("/")
      .slice(1)
      .map((segment) =>
        segment === "**"
          ? "(?:/[^/]*)*?"
          : `/${segment.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*+/g, "[^/]*")}`,
      )
      .join("");
    return new RegExp(`^${source}/?$`, "i").test(path);
  }
  const segment = fc.constantFrom("a", "b", "ab", "", "A");
  const patternSegment = fc.oneof(segment, fc.constantFrom("*", "**", "a*", "*b", "a*b"));
  const pathOf = (segments: string[]) => `/${segments.join("/")}`;

  it("says what the definition says", () => {
    return fc.assert(
      fc.property(
        fc.array(patternSegment, { minLength: 1, maxLength: 5 }).map(pathOf),
        fc.array(segment, { minLength: 1, maxLength: 7 }).map(pathOf),
        (pattern, path) => {
          expect(compilePathPattern(pattern)(parsePath(path))).toBe(reference(pattern, path));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it.each(["/**/x/**/y", "/*a*a*a*a*a*a*b", "/**/a/a/a/a/b", "/a*/**/a*"])(
    "answers %s at once, whatever the path",
    (pattern) => {
      const matches = compilePathPattern(pattern);
      const startedAt = performance.now();
      for (const path of [`/${"a/".repeat(30_000)}`, `/${"a".repeat(60_000)}`, `/${"x/".repeat(30_000)}`])
        matches(parsePath(path));
      expect(performance.now() - startedAt).toBeLessThan(1_000);
    },
  );

  it("takes a lone surrogate as a URL does", () => {
    expect(compilePathPattern("/\ud800")(parsePath("/%EF%BF%BD"))).toBe(true);
  });
});

describe("normalizePath", () => {
  it.each([
    ["/authorize", "/authorize"],
    ["/%61uthorize", "/authorize"],
    ["/%41%7e%2D%5F%2e", "/A~-_."],
    ["/x/../authorize", "/authorize"],
    ["/x/%2e%2E/authorize", "/authorize"],
    ["/x/.%2e/authorize", "/authorize"],
    ["/./authorize", "/authorize"],
    ["/a/%2e", "/a/"],
    ["/a/b/..", "/a/"],
    ["/../../a", "/a"],
    ["/x\\..\\authorize", "/authorize"],
    ["/a%2Fb//c", "/a%2Fb//c"],
    ["/a/.well-known/x", "/a/.well-known/x"],
    ["/.../a", "/.../a"],
    ["/%2561", "/%2561"],
    ["/%zz%", "/%zz%"],
    ["/%C3%A9", "/%C3%A9"],
  ])("%s becomes %s", (path, expected) => {
    expect(normalizePath(path)).toBe(expected);
  });

  it("resolves dots as URL does, and changes nothing the second time", () => {
    const part = fc.constantFrom("/", ".", "..", "%2e", "%2E", "a", "%61", "%2f", "\\", "%", "%5c", "B", "%25");
    return fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
        const path = `/${parts.join("")}`;
        const normal = normalizePath(path);
        expect(normalizePath(normal)).toBe(normal);
        const base = "https://login.example.com";
        if (!path.startsWith("//") && !/^[/\\]{2}/.test(path)) {
          expect(normal).toBe(normalizePath(new URL(base + path).pathname));
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
