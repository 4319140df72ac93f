import { parse as parseQuery } from "node:querystring";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withoutReserved } from "../../src/gate/reserved-query.ts";

const names = ["ext-variation", "ext.exp_id"];
const without = (search: string) => withoutReserved(search, names);

describe("withoutReserved", () => {
  it.each([
    ["?ext-variation=evil", ""],
    ["?a=1&ext-variation=evil&b=2", "?a=1&b=2"],
    ["?ext-variation=evil&b=2", "?b=2"],
    ["?a=1&ext-variation", "?a=1"],
    ["?a=1;ext-variation=evil;b=2&c", "?a=1;b=2&c"],
    ["?a&&ext-variation=x&;&b=", "?a&&;&b="],
    ["?EXT-Variation=evil&a", "?a"],
    ["?ext%2Dvariation=evil", ""],
    ["?%65%78%74-variation=evil", ""],
    ["?ext%252dvariation=evil", ""],
    ["?ext%25252dvariation=evil", ""],
    ["?ext%u002dvariation=evil", ""],
    ["?+ext-variation+=evil", ""],
    ["?%20ext-variation%09=evil", ""],
    ["?ext-variation%00=evil", ""],
    ["?ext-variation%00x=evil", ""],
    ["?ext-%0avariation=evil", ""],
    ["?ext-variation%3Devil", ""],
    ["?ext-variation[]=evil", ""],
    ["?ext-variation[0]=evil", ""],
    ["?ext-variation%5Ba%5D=evil", ""],
    ["?ext-variation[a][b]=evil", ""],
    ["?[ext-variation]=evil", ""],
    ["?ext-variation[=evil", ""],
    ["?ext_exp_id=evil", ""],
    ["?ext.exp.id=evil", ""],
    ["?ext+exp%20id=evil", ""],
    ["?ext[exp_id=evil", ""],
    ["??ext-variation=evil", ""],
    ["?e%E2%84%AAt=1&ext-variatio%6e=evil", "?e%E2%84%AAt=1"],
    ["?%zz%ext-variation=1&ext-variation%=1", "?%zz%ext-variation=1&ext-variation%=1"],
  ])("%s becomes %j", (search, expected) => {
    expect(without(search)).toBe(expected);
  });

  it.each([
    "",
    "?",
    "?client_id=a&redirect_uri=https%3A%2F%2Fapp.example%2F%3Fext-variation%3Dx&state=a%2Fb+c",
    "?my-ext-variation=1&ext-variations=2&ext=variation",
    "?a=ext-variation&b=ext%2Dvariation",
    "?state=%F0%9F%98%80%80&%80=1&&;;=",
  ])("leaves %j as it is", (search) => {
    expect(without(search)).toBe(search);
  });

  it("knows the Kelvin sign for a K, and names beyond ASCII", () => {
    expect(withoutReserved("?ext-%E2%84%AA=1&a", ["ext-k"])).toBe("?a");
    expect(withoutReserved("?gr%C3%B6%C3%9Fe=1&a", ["größe"])).toBe("?a");
  });

  it("removes nothing where no name is reserved", () => {
    expect(withoutReserved("?%65&ext-variation=1", [])).toBe("?%65&ext-variation=1");
    expect(withoutReserved("?=1&&b", [""])).toBe("?=1&&b");
  });

  const piece = fc.oneof(
    fc.constantFrom(
      ...names,
      "ext",
      "-",
      "variation",
      "exp_id",
      ".",
      "_",
      "[",
      "]",
      "[]",
      "%00",
      "%2d",
      "%252E",
      "%5b",
    ),
    fc.constantFrom("&", ";", "=", "+", "%20", "%", "%u0065", "?", "a", "E", "%45"),
    fc.string({ maxLength: 3 }).map((text) => text.replace(/[#\s]/g, "")),
  );
  const query = fc.array(piece, { maxLength: 14 }).map((pieces) => `?${pieces.join("")}`);

  /** How PHP registers variables: skips spaces, stops at NUL, folds what cannot be in a variable's name. */
  function parseAsPhp(text: string): string[] {
    return text.split("&").flatMap((pair) => {
      const raw = pair.split("=", 1)[0] ?? "";
      const decoded = raw
        .replaceAll("+", " ")
        .replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
      const name = (decoded.split("\0", 1)[0] ?? "").replace(/^ +/, "");
      const bracket = name.indexOf("[");
      const isArray = bracket > 0 && name.indexOf("]", bracket) > 0;
      return [(isArray ? name.slice(0, bracket) : name).replace(/[ .[]/g, "_")];
    });
  }
  const isSameName = (name: string) => names.some((each) => each === name.toLowerCase());
  const isSamePhpName = (name: string) => names.some((each) => each.replaceAll(".", "_") === name.toLowerCase());

  it("leaves none of the names to any parser", () => {
    return fc.assert(
      fc.property(query, (search) => {
        const kept = without(search).slice(1);
        const separated = [kept, kept.replaceAll(";", "&")];
        for (const text of separated) {
          expect([...new URLSearchParams(text).keys()].filter(isSameName)).toEqual([]);
          expect(Object.keys(parseQuery(text)).filter(isSameName)).toEqual([]);
          expect(parseAsPhp(text).filter(isSamePhpName)).toEqual([]);
        }
        expect(without(without(search))).toBe(without(search));
      }),
      { numRuns: 3_000 },
    );
  });

  it("keeps every other parameter, in order", () => {
    return fc.assert(
      fc.property(fc.webQueryParameters(), (text) => {
        const search = text && `?${text}`;
        expect(without(search)).toBe(search.length < 2 ? search : without(search));
        expect(withoutReserved(search, ["a-name-that-is-nowhere"])).toBe(search);
        const spiked = `?${text}&ext-variation=evil&tail=1`;
        expect(without(spiked)).toBe(`?${text}&tail=1`);
      }),
    );
  });

  it.each(["?", "&", "%", "%25", "[", "ext-variation", "+", "%20", "=", ";%", "\0"])(
    "takes time linear in the query: %j, many times",
    (part) => {
      const startedAt = performance.now();
      without(`?${part.repeat(60_000)}`);
      without(`?%65=${part.repeat(60_000)}`);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    },
  );
});
