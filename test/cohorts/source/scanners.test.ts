/** The scanners by themselves, a few characters at a time: whoever reads members gives them large pieces. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { createRowScanner } from "../../../src/cohorts/source/csv-rows.ts";
import { createArrayScanner, plainArray } from "../../../src/cohorts/source/json-array.ts";
import { createLineScanner } from "../../../src/cohorts/source/json-lines.ts";
import { SourceError } from "../../../src/cohorts/source/source-error.ts";

interface Scanner<T> {
  push(piece: string): T[];
  end(): unknown;
}

function scan<T>(scanner: Scanner<T>, text: string, sizes: readonly number[]): T[] | "refused" {
  const found: T[] = [];
  try {
    for (let at = 0, turn = 0; at < text.length; turn++) {
      const size = sizes[turn % sizes.length] ?? text.length;
      found.push(...scanner.push(text.slice(at, at + size)));
      at += size;
    }
    const rest = scanner.end();
    if (Array.isArray(rest)) found.push(...rest);
    return found;
  } catch (error) {
    if (error instanceof SourceError) return "refused";
    throw error;
  }
}

const anySizes = fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 6 });
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(fc.constantFrom('"', "\\", ",", "[", "]", "{", "}", "\n", "\r", " ", "a", "1", ":"), { maxLength: 12 })
    .map((parts) => parts.join("")),
);
/** A text with one thing put in or taken out. */
const spoilt = (text: fc.Arbitrary<string>) =>
  fc
    .tuple(text, fc.nat(), fc.nat(2), fc.constantFrom("", '"', "\\", ",", "[", "]", "{", "}", "\n", "x", "1"))
    .map(([text, at, cut, put]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + put + text.slice(place + cut);
    });

function parse(text: string): unknown[] | "refused" {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : "refused";
  } catch {
    return "refused";
  }
}

const anyArray = fc
  .tuple(fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 8 }), fc.nat(2))
  .map(([value, spaces]) => JSON.stringify(value, null, spaces));

it("takes for an array what JSON.parse takes for one, and finds the same in it", () =>
  fc.assert(
    fc.property(fc.oneof(anyArray, spoilt(anyArray), spoilt(spoilt(anyArray)), anyText), anySizes, (text, sizes) => {
      expect(scan(createArrayScanner(plainArray), text, sizes)).toEqual(parse(text));
    }),
    { numRuns: 2_000 },
  ));

it.each([
  "[]",
  "[ ]",
  "[1,]",
  "[,]",
  "[,1]",
  "[1,,2]",
  "[1 , ]",
  "[ 1 ] ",
  "[1]]",
  "[1],",
  '["\\\\"]',
  '["\\\\\\""]',
  "[[],{}]",
  "[[]",
])("takes %s for what it is, character by character", (text) => {
  expect(scan(createArrayScanner(plainArray), text, [1])).toEqual(parse(text));
});

const anyLines = fc
  .array(fc.oneof(fc.json({ maxDepth: 2 }), fc.constant("")), { maxLength: 8 })
  .map((lines) => lines.join("\n"));

it("takes for a line what JSON.parse takes for one", () =>
  fc.assert(
    fc.property(fc.oneof(anyLines, spoilt(anyLines), anyText), anySizes, (text, sizes) => {
      const lines = text.split("\n").filter((line) => !/^[ \t\r]*$/.test(line));
      const values = parse(`[${lines.map((line) => (parse(`[${line}]`).length === 1 ? line : "?")).join(",")}]`);
      expect(scan(createLineScanner(), text, sizes)).toEqual(values);
    }),
    { numRuns: 1_000 },
  ));

const anyRows = fc.array(fc.array(anyText, { minLength: 1, maxLength: 4 }), { maxLength: 6 });
const anyBreak = fc.constantFrom("\n", "\r\n", "\r");

it("gives back every row of CSV", () =>
  fc.assert(
    fc.property(anyRows, anyBreak, fc.boolean(), anySizes, (rows, lineBreak, isEnded, sizes) => {
      const write = (field: string) =>
        /[",\r\n]/.test(field) || field === "" ? `"${field.replaceAll('"', '""')}"` : field;
      const text = rows.map((row) => row.map(write).join(",")).join(lineBreak) + (isEnded ? lineBreak : "");
      expect(scan(createRowScanner(), text, sizes)).toEqual(rows);
    }),
    { numRuns: 1_000 },
  ));

it("makes the same of any CSV, however it is cut", () =>
  fc.assert(
    fc.property(anyText, anySizes, (text, sizes) => {
      expect(scan(createRowScanner(), text, sizes)).toEqual(scan(createRowScanner(), text, []));
    }),
    { numRuns: 1_000 },
  ));

it.each([[1], [2], [3], [4], [5]])("counts a line break once, however it is cut: %i", (size) => {
  const scanner = createRowScanner();
  const text = 'id\r\na\r\n"b\r\nb"\r\nc\rd"\n';
  const pushing = () => {
    for (let at = 0; at < text.length; at += size) scanner.push(text.slice(at, at + size));
  };
  expect(pushing).toThrow(/^line 6: a quote/);
});
