import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePattern } from "../../../src/engine/pattern.ts";
import { withoutGlob } from "../../../src/model/compile/glob.ts";

const selector = ["context", "user", "domain"];
const compiled = (...values: string[]) => withoutGlob({ selector, op: "glob match", values });

/** Whether `glob` matches all of `text`, by the meaning of its first character. */
function matches(glob: string, text: string): boolean {
  if (glob === "") return text === "";
  const rest = glob.slice(1);
  if (glob.startsWith("*")) return matches(rest, text) || (text !== "" && matches(glob, text.slice(1)));
  return text !== "" && (glob.startsWith("?") || glob[0] === text[0]) && matches(rest, text.slice(1));
}

describe("withoutGlob", () => {
  it("leaves other conditions as they are", () => {
    const condition = { selector, op: "is", values: ["*"] };
    expect(withoutGlob(condition)).toBe(condition);
  });

  it.each([
    ["a.example", "^a\\.example$"],
    ["*.example", "\\.example$"],
    ["a.*", "^a\\."],
    ["**a**", "a"],
    ["*", "$"],
    ["", "^$"],
    ["?", "^[^]$"],
    ["[^]*", "^\\[\\^\\]"],
    ["*[^]", "\\[\\^\\]$"],
  ])("makes %s %s", (glob, pattern) => {
    expect(compiled(glob, "x")).toEqual({ selector, op: "regex match", values: [pattern, "^x$"] });
  });

  it("matches what the glob does", () => {
    const text = (units: string) => fc.string({ unit: fc.constantFrom(...units), maxLength: 8 });
    return fc.assert(
      fc.property(text("ab*?.\\$^[\n"), text("ab*?.\\$^[\n"), (glob, value) => {
        const [pattern = ""] = compiled(glob).values;
        expect(compilePattern(pattern).matches(value)).toBe(matches(glob, value));
      }),
      { numRuns: 2000 },
    );
  });
});
