import { describe, expect, it } from "vitest";
import { eachOf, Stopped } from "../../scripts/simulation/crowd.ts";
import { draw } from "../../scripts/simulation/people.ts";
import { evidenceOf, table } from "../../scripts/simulation/print.ts";
import { createProgress } from "../../scripts/simulation/progress.ts";
import { createRandom } from "../../scripts/simulation/random.ts";

describe("people", () => {
  it("are the same for the same seed, and others for another", () => {
    const people = (seed: number) => draw(50, createRandom(seed), "v");
    expect(people(3)).toEqual(people(3));
    expect(people(3)).not.toEqual(people(4));
  });

  it("draw from a list as often as its weights say", () => {
    const random = createRandom(1);
    const drawn = Array.from({ length: 10_000 }, () =>
      random.pick([
        ["often", 3],
        ["never", 0],
        ["seldom", 1],
      ]),
    );
    const often = drawn.filter((each) => each === "often").length;
    expect(often / drawn.length).toBeCloseTo(0.75, 1);
    expect(drawn).not.toContain("never");
  });
});

describe("a crowd", () => {
  const endless = new AbortController().signal;

  it("is so many side by side, and each comes once", async () => {
    let [under, most] = [0, 0];
    const seen: number[] = [];
    const items = Array.from({ length: 20 }, (_, index) => index);
    await eachOf(items, { sideBySide: 4, signal: endless }, async (item) => {
      most = Math.max(most, ++under);
      await Promise.resolve();
      under--;
      seen.push(item);
    });
    expect(most).toBe(4);
    expect(seen.sort((a, b) => a - b)).toEqual(items);
  });

  it("sends nobody more once time is up, or one has failed", async () => {
    let visits = 0;
    const visit = async () => void visits++;
    await expect(eachOf([1, 2, 3], { sideBySide: 1, signal: AbortSignal.abort("SIGINT") }, visit)).rejects.toThrow(
      Stopped,
    );
    expect(visits).toBe(0);
    const fails = async () => {
      visits++;
      throw new Error("refused");
    };
    const options = { sideBySide: 1, signal: endless };
    await expect(eachOf([1, 2, 3], options, fails)).rejects.toThrow("refused");
    expect(visits).toBe(1);
  });
});

describe("progress", () => {
  function shown(isTTY: boolean) {
    let [text, nowMs] = ["", 0];
    const write = (more: string) => {
      text += more;
    };
    const screen = { isTTY, columns: 60, write };
    const progress = createProgress(screen, () => nowMs);
    progress.begin("Visitors", 4);
    for (const _ of [1, 2, 3, 4]) {
      nowMs += 1_500;
      progress.step();
    }
    progress.end();
    return text;
  }

  it("is a bar for whoever looks on", () => {
    const frames = shown(true).split("\r");
    expect(frames.at(-1)).toMatch(/^\S*Visitors {2}█{24} {2}4\/4 {2}6 s\n$/u);
    expect(frames.every((frame) => frame.length < 70)).toBe(true);
  });

  it("is a line now and then in a log", () => {
    expect(shown(false).split("\n")).toEqual(["Visitors: 2/4, 3 s", "Visitors: 4/4, 6 s", ""]);
  });
});

describe("evidence, as it is printed", () => {
  it("is figures in columns, variations by their names, and no more rows than are read", () => {
    const names = new Map([["var_a", "Control"]]);
    const groups = Array.from({ length: 10 }, (_, index) => ({ value: `group ${index}`, units: 1_000 + index }));
    expect(evidenceOf({ evidence: { p_value: 1.5e-9, is_red: true, of: "var_a", none: [], groups } }, names)).toEqual([
      "p value: 1.5e-9",
      "is red: yes",
      "of: Control",
      "none: none",
      "groups:",
      "  value    units",
      ...groups.slice(0, 8).map(({ value, units }) => `  ${value}  1,${String(units).slice(1)}`),
      "  … and 2 more",
    ]);
  });

  it("stands in columns that are as wide as the widest", () => {
    expect(
      table([
        ["name", "n"],
        ["a", "1"],
        ["long one", "1,000"],
      ]),
    ).toEqual(["name          n", "a             1", "long one  1,000"]);
  });
});
