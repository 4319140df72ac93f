import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compilePattern, findPatternFault } from "../../src/engine/pattern.ts";

const pieces = [
  [
    "a",
    "b",
    "c",
    "_",
    "-",
    " ",
    "1",
    "é",
    "💥",
    "\n",
    ".",
    "\\d",
    "\\D",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    "\\.",
    "\\-",
    "\\/",
  ],
  ["^", "$", "\\b", "\\B", "(", "(?:", "(?<name>", ")", "|", "*", "+", "?", "*?", "{2}", "{1,}", "{0,2}", "{,2}", "{"],
  [
    "}",
    "]",
    "[ab]",
    "[^a]",
    "[a-c1]",
    "[\\w-c]",
    "[a-\\d]",
    "[]",
    "[^]",
    "[-a]",
    "[a-]",
    "[\\b]",
    "[\\]]",
    "[^\\s\\S]",
  ],
  ["\\x41", "\\x4", "\\u0061", "\\u{2}", "\\p", "\\cA", "\\0", "\\t", "\\e"],
].flat();
const source = fc.array(fc.constantFrom(...pieces), { maxLength: 9 }).map((parts) => parts.join(""));
const letters = fc.constantFrom(..."abcAB_- 1.{}]u2pe\n\t\u0001\0é\b", "💥", "\ud83d");
const value = fc.array(letters, { maxLength: 8 }).map((parts) => parts.join(""));

function isValid(pattern: string): boolean {
  try {
    new RegExp(pattern);
    return true;
  } catch {
    return false;
  }
}

test("matches what the platform's own matcher matches", { timeout: 60_000 }, () => {
  let accepted = 0;
  void fc.assert(
    fc.property(source, fc.array(value, { minLength: 10, maxLength: 10 }), (pattern, values) => {
      if (findPatternFault(pattern) !== undefined) {
        // What is left out is what `\` and digits may mean besides a backreference.
        if (isValid(pattern)) expect(pattern).toMatch(/\\0\d|\\c(?![a-z])/i);
        return;
      }
      accepted++;
      const { matches } = compilePattern(pattern);
      const native = new RegExp(pattern);
      for (const each of values) {
        if (matches(each) !== native.test(each)) expect({ pattern, each, ours: matches(each) }).toBe("otherwise");
      }
    }),
    { numRuns: 30_000 },
  );
  expect(accepted).toBeGreaterThan(10_000);
});

test.each([
  ["(", /Unterminated group/],
  ["a**", /Nothing to repeat/],
  ["(a)\\1", /backreference/],
  ["(?<a>x)\\k<a>", /backreference/],
  ["(?=a)b", /look-ahead/],
  ["(?!a)b", /look-ahead/],
  ["(?<=a)b", /look-behind/],
  ["(?<!a)b", /look-behind/],
  ["(?i:a)", /flags/],
  ["\\c1", /\\c/],
  ["a".repeat(1001), /longer than 1000/],
  ["(a{100}){100}", /too large/],
  ["((){99999}){99999}", /too large/],
])("refuses %s", (pattern, reason) => {
  expect(findPatternFault(pattern)).toMatch(reason);
  expect(() => compilePattern(pattern)).toThrow(reason);
});

test.each([
  "^[\\w.+-]+@example\\.com$",
  "^(?:gold|silver)-\\d{4,}$",
  "(a+)+$",
  "^(([a-z])+.)+[A-Z]([a-z])+$",
  "(x+x+)+y",
])("accepts %s", (pattern) => {
  expect(findPatternFault(pattern)).toBeUndefined();
});

test("keeps to its answer when it has met more states than it keeps", () => {
  const pattern = "^[ab]*a[ab]{9}$";
  const { matches } = compilePattern(pattern);
  const native = new RegExp(pattern);
  for (let number = 0; number < 4096; number++) {
    const each = number.toString(2).replaceAll("0", "a").replaceAll("1", "b");
    expect(matches(each)).toBe(native.test(each));
  }
});

test("the larger the automaton, the shorter the longest value", () => {
  expect(compilePattern("^a*$").maxLength).toBeGreaterThan(50_000);
  expect(compilePattern("[ab]*a[ab]{40}").maxLength).toBeGreaterThan(10_000);
  expect(compilePattern("[ab]*a[ab]{900}").maxLength).toBeLessThan(600);
});

test("prefixes and suffixes of any length are compared as texts", { timeout: 60_000 }, () => {
  const text = fc.string({ unit: fc.constantFrom(..."ab.$^\\(é\n/-"), maxLength: 6 });
  const quote = (plain: string) => plain.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  const anchors = fc.constantFrom(["^", ""], ["", "$"], ["^", "$"]);
  const long = "a".repeat(2_000);
  expect(compilePattern(`^${long}`).matches(`${long}b`)).toBe(true);
  expect(compilePattern(`${long}$`).maxLength).toBe(Number.POSITIVE_INFINITY);
  return fc.assert(
    fc.property(text, anchors, text, text, (plain, [start = "", end = ""], before, after) => {
      const pattern = `${start}${quote(plain)}${end}`;
      for (const value of [before + plain + after, plain + after, before + plain, plain, after]) {
        expect(compilePattern(pattern).matches(value)).toBe(new RegExp(pattern).test(value));
      }
    }),
    { numRuns: 2_000 },
  );
});
