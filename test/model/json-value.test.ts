import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { anyJsonSchema, isSameJson, jsonValueSchema } from "../../src/model/json-value.ts";

/** As a body is read: objects with any names, and no two of them shared. */
const json = fc.json().map((text): unknown => JSON.parse(text));

/** The same value with the members of its objects the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, inner]) => [name, reversed(inner)]),
  );
}

describe("isSameJson", () => {
  it("does not see the order of members", () =>
    fc.assert(fc.property(json, (value) => isSameJson(value, reversed(value)))));

  it("sees every other difference", () =>
    fc.assert(
      fc.property(json, json, (one, other) => isSameJson(one, other) === (canonical(one) === canonical(other))),
    ));

  it.each([
    [[], {}],
    [[1], { 0: 1 }],
    [{ a: undefined }, { b: undefined }],
    [{}, JSON.parse('{"__proto__":{}}')],
    [{ toString: 1 }, { valueOf: 1 }],
    [null, {}],
    [0, ""],
    [
      [1, 2],
      [2, 1],
    ],
  ])("tells %j from %j", (one, other) => {
    expect(isSameJson(one, other)).toBe(false);
    expect(isSameJson(other, one)).toBe(false);
  });
});

describe("anyJsonSchema", () => {
  it("takes whatever JSON can say, as it is", () =>
    fc.assert(fc.property(json, (value) => Object.is(v.parse(anyJsonSchema, value), value))));

  it("takes any depth", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(v.is(anyJsonSchema, deep)).toBe(true);
  });

  it.each([undefined, Number.NaN, 1 / 0, 1n, Symbol("a"), () => 1, [undefined], { a: { b: -1 / 0 } }])(
    "refuses what JSON cannot say: %s",
    (value) => expect(v.is(anyJsonSchema, value)).toBe(false),
  );
});

it("a parameter's value has 1024 bytes at most", () => {
  expect(v.is(jsonValueSchema, "é".repeat(511))).toBe(true);
  expect(v.is(jsonValueSchema, `${"é".repeat(511)}x`)).toBe(false);
});

/** As text, the members of every object sorted. Both zeros are one number in JSON's writing. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`);
  return `{${members.sort().join()}}`;
}
