import { expect, it } from "vitest";
import { cookieValues, setCookie } from "../../src/assignment/cookies.ts";

it.each([
  ["a=1; b=2", "b", ["2"]],
  ["a=1;b=2", "b", ["2"]],
  ["vst_did=x", "vst_did", ["x"]],
  ["not_vst_did=x; vst_did=y", "vst_did", ["y"]],
  ["__Host-vst_did=x", "vst_did", []],
  ["vst_did=x; vst_did=y", "vst_did", ["x", "y"]],
  ["vst_did=", "vst_did", [""]],
  ["vst_did=a=b", "vst_did", ["a=b"]],
  ["a=vst_did=x", "vst_did", []],
  [";;; vst_did=x ;", "vst_did", ["x"]],
  [null, "vst_did", []],
  [Array(100).fill("vst_did=x").join("; "), "vst_did", Array(8).fill("x")],
])("of %s reads %s", (header, name, expected) => {
  expect(cookieValues(header, name)).toEqual(expected);
});

it("binds cookies to the host on https and sends them with cross-site posts; works on plain http", () => {
  expect(setCookie("vst_did", "v", 60, { secure: true })).toBe(
    "__Host-vst_did=v; Path=/; Max-Age=60; HttpOnly; SameSite=None; Secure",
  );
  expect(setCookie("vst_did", "v", 60, { secure: false })).toBe(
    "vst_did=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax",
  );
});
