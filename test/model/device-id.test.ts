import { createHmac, randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDeviceId } from "../../src/model/device-id.ts";
import { longestId } from "../../src/model/user.ts";

const dayMs = 24 * 3600_000;
const nowMs = Date.parse("2026-05-20T12:00:00Z");
const id = "AbCdEfGhIjKlMnOpQrSt_w";
const today = Math.floor(nowMs / dayMs);
const day = today.toString(36);
const mac = createHmac("sha256", "key").update(id).digest("base64url");
const cookie = `${id}${day}.k-1.${mac}`;
const parse = (text: string) => parseDeviceId(text, nowMs);

describe("a device cookie gives its id", () => {
  it.each([
    ["the value", cookie],
    ["with spaces and a line's end", `  ${cookie}\n`],
    ["with its name", `vst_did=${cookie}`],
    ["with its name on https", `__Host-vst_did=${cookie}`],
    ["among others", `a=1; __Host-vst_ses=e30.k.${mac}; __Host-vst_did=${cookie}; b=2`],
    ["in a Cookie header", `Cookie: __Host-vst_did=${cookie}; b=2`],
    ["in a Set-Cookie header", `set-cookie: __Host-vst_did=${cookie}; Path=/; Max-Age=34560000; HttpOnly`],
    ["quoted", `vst_did="${cookie}"`],
    ["signed on a day that is to come", `${id}zzzzz.k.${mac}`],
    ["its first part", `${id}${day}`],
    ["its first part with its name", `vst_did=${id}${day}`],
    ["its first part of tomorrow", `${id}${(today + 1).toString(36)}`],
    ["the id with the cookie's name", `vst_did=${id}`],
    ["the id", id],
  ])("%s", (_, text) => {
    expect(parse(text)).toEqual({ id });
  });
});

describe("an app's own id stays as it is", () => {
  it.each([
    ["a UUID", randomUUID()],
    ["a word", "qa"],
    ["with spaces", " my device "],
    ["a cuid, of 25 characters", "cjld2cjxh0000qzrmn831i7rn"],
    ["of 25 characters with no such day", `${id}000`],
    ["of 25 characters with a day before 2025", `${id}f00`],
    ["of 25 characters with a day that is to come", `${id}${(today + 2).toString(36)}`],
    ["of 25 characters whose first 22 are no 128 bits", `${id.slice(0, -1)}x${day}`],
    ["of 26 characters: its day would be after 2097", `${id}1000`],
    ["a JSON Web Token", `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${mac}`],
    ["a browser id of another product", "GA1.1.1596403881.1668111644"],
    ["a reverse domain name", "com.example.app.6f1c2e58"],
    ["as long as it may be", "x".repeat(longestId)],
  ])("%s", (_, text) => {
    expect(parse(text)).toEqual({ id: text });
  });
});

describe("what is no device id is refused", () => {
  it.each([
    ["nothing", "", "must not be empty"],
    ["too long", "x".repeat(longestId + 1), "at most 512 characters"],
    ["the session cookie", `__Host-vst_ses=e30.k.${mac}`, "the vst_ses cookie"],
    ["the sticky cookie", "vst_sticky=", "the vst_sticky cookie"],
    ["another cookie's name", "vst_ses", "the vst_ses cookie"],
    ["the device cookie's name", "__Host-vst_did", "only the cookie's name"],
    ["another cookie's value", `WzIsImEiXQ.k1.${mac}`, "another signed value"],
    ["a cookie without its beginning", cookie.slice(3), "another signed value"],
    ["a cookie without its end", cookie.slice(0, -1), "part of the vst_did cookie's value"],
    ["a cookie without its mac", `${id}${day}.k-1.`, "part of the vst_did cookie's value"],
    ["a cookie without its key", `${id}${day}.`, "part of the vst_did cookie's value"],
    ["a cookie with something added", `${cookie}x`, "with something added"],
    ["a named cookie without its end", `vst_did=${cookie.slice(0, 40)}`, "part of the vst_did cookie's value"],
    ["a named cookie of nothing", "vst_did=", "part of the vst_did cookie's value"],
    ["a named cookie of 24 characters", `vst_did=${id}g1`, "part of the vst_did cookie's value"],
  ])("%s", (_, text, message) => {
    const result = parse(text);
    expect(result).toEqual({ error: expect.stringContaining(message) });
    // The dashboard tells several errors of one message apart by this.
    expect("error" in result && result.error).not.toContain("; ");
  });
});

const genuineId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString("base64url"));
const genuineCookie = fc
  .tuple(
    genuineId,
    fc.integer({ min: 20_089, max: today }),
    fc.stringMatching(/^[A-Za-z0-9_-]{1,16}$/),
    fc.uint8Array({ minLength: 32, maxLength: 32 }),
  )
  .map(([id, day, kid, bytes]) => ({
    id,
    first: `${id}${day.toString(36)}`,
    value: `${id}${day.toString(36)}.${kid}.${Buffer.from(bytes).toString("base64url")}`,
  }));

it("finds the id in every genuine cookie, and in its first part", () => {
  return fc.assert(
    fc.property(genuineCookie, fc.constantFrom("", "vst_did=", "__Host-vst_did="), ({ id, first, value }, name) => {
      for (const text of [id, first, value]) expect(parse(name + text)).toEqual({ id });
    }),
  );
});

it("never takes a genuine cookie that was cut after its first part for an id", () => {
  return fc.assert(
    fc.property(genuineCookie, fc.nat(), ({ first, value }, cut) => {
      const length = first.length + 1 + (cut % (value.length - first.length - 1));
      expect(parse(value.slice(0, length))).toHaveProperty("error");
    }),
  );
});

it("gives an id that gives itself, whatever the text", () => {
  const text = fc.oneof(
    fc.string({ maxLength: 600 }),
    genuineCookie.map(({ value }) => value),
  );
  return fc.assert(
    fc.property(text, (text) => {
      const result = parse(text);
      if ("id" in result) expect(parse(result.id)).toEqual(result);
    }),
  );
});
