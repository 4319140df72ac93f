import { expect, test } from "vitest";
import { compareVersions, maxVersionLength, parseVersion } from "../../src/engine/version.ts";

test.each([
  ["1.2", { major: 1, minor: 2, patch: 0, prerelease: undefined }],
  ["01.002.3", { major: 1, minor: 2, patch: 3, prerelease: undefined }],
  ["1.2.3-rc.1", { major: 1, minor: 2, patch: 3, prerelease: "-rc.1" }],
  ["1.2.3-", { major: 1, minor: 2, patch: 3, prerelease: "-" }],
  ["1.2.3-a.", { major: 1, minor: 2, patch: 3, prerelease: "-a." }],
  ["1.2.3--a_B-9", { major: 1, minor: 2, patch: 3, prerelease: "--a_B-9" }],
])("%s is a version", (text, version) => {
  expect(parseVersion(text)).toEqual(version);
});

test.each([
  "",
  "1",
  "1.",
  ".1",
  "1.2.",
  "1.2.3.4",
  "1.2.3+b",
  "1.2-rc",
  "v1.2",
  "1.2.3-.a",
  "1.2.3-a..b",
  "1.2.3-a!",
  " 1.2",
  "1.2\n",
])("%j is no version", (text) => {
  expect(parseVersion(text)).toBeUndefined();
});

test("a text past the cap is no version", () => {
  const longest = `1.2.3-${"a".repeat(maxVersionLength - 6)}`;
  expect(parseVersion(longest)).toBeDefined();
  expect(parseVersion(`${longest}a`)).toBeUndefined();
});

test("versions are ordered", () => {
  const ascending = ["0.9", "1.2.3-", "1.2.3-rc.10", "1.2.3-rc.9", "1.2.3", "1.2.10", "1.10.0", "2.0"];
  for (const [a, low] of ascending.entries()) {
    for (const [b, high] of ascending.entries()) {
      const [left, right] = [parseVersion(low), parseVersion(high)];
      if (left && right) expect(Math.sign(compareVersions(left, right))).toBe(Math.sign(a - b));
    }
  }
});
