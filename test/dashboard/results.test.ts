/** What pages make of a report and a diagnosis, whatever the ledger has counted. */
import { describe, expect, it } from "vitest";
import { courseOf } from "../../src/dashboard/series.ts";
import { logBayesFactor, sequentialP } from "../../src/stats/sequential-test.ts";
import { type Answers, begin, epoch, hour, hourMs, rate, report, showExperiment } from "./experiment-page.ts";

describe("the course of an experiment", () => {
  it("adds up hour by hour, with gaps, and ends now", () => {
    const hours = [hour(0, "a", 10, 8), hour(0, "b", 30), hour(3, "a", 30), hour(3, "gone", 99)];
    const course = courseOf(hours, ["a", "b"], [epoch(1, 0, 0.5)], begin + 3.5 * hourMs);
    expect(course.at.map((at) => at * 1000 - begin)).toEqual([1, 2, 3, 3.5].map((hours) => hours * hourMs));
    expect(course.assigned).toEqual([
      [10, 10, 10, 40],
      [30, 30, 30, 30],
    ]);
    expect(course.exposed[0]).toEqual([8, 8, 8, 38]);
    expect(course.share[0]).toEqual([0.25, 0.25, 0.25, 40 / 70]);
    expect(course.expected[0]).toEqual([0.5, 0.5, 0.5, 0.5]);
  });

  it("expects of each epoch its own split, and tests each by itself", () => {
    const hours = [hour(0, "a", 500), hour(0, "b", 500), hour(1, "a", 900), hour(1, "b", 100)];
    const course = courseOf(hours, ["a", "b"], [epoch(1, 0, 0.5), epoch(2, 1, 0.9)], begin + 9 * hourMs);
    expect(course.expected[0]).toEqual([0.5, 0.7]);
    expect(course.p.at(-1)).toBe(1);
    const mixed = courseOf(hours, ["a", "b"], [epoch(1, 0, 0.5)], begin + 9 * hourMs);
    expect(mixed.p.at(-1)).toBeCloseTo(sequentialP(logBayesFactor([1400, 600], [0.5, 0.5])), 12);
    expect(mixed.p.at(-1)).toBeLessThan(1e-10);
  });

  it("never takes a p back, and knows none where shares are not known", () => {
    const hours = [hour(0, "a", 900), hour(0, "b", 500), hour(1, "b", 400)];
    const { p } = courseOf(hours, ["a", "b"], [epoch(1, 0, 0.5)], begin + 9 * hourMs);
    expect(p[1]).toBe(p[0]);
    const unknown = courseOf(hours, ["a", "b"], [{ ...epoch(1, 0, 0.5), shares: null }], begin + 9 * hourMs);
    expect([unknown.p, unknown.expected[0]]).toEqual([
      [null, null],
      [null, null],
    ]);
  });

  it.each([
    [90, 90],
    [24 * 60, 60],
    [24 * 700, 100],
  ])("of %i hours has %i points", (span, points) => {
    const course = courseOf([hour(0, "a", 1), hour(span - 1, "a", 1)], ["a"], [], begin + span * hourMs);
    expect(course.at.length).toBeLessThanOrEqual(points + 1);
    expect(course.assigned[0]?.at(-1)).toBe(2);
    expect(course.at).toEqual([...course.at].sort((a, b) => a - b));
  });

  it("of nobody has none", () => {
    expect(courseOf([], ["a"], [], begin).at).toEqual([]);
  });
});

const textOf = async (answers: Answers) => (await showExperiment(answers)).text();

const wordsOf = (page: string) => page.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");

describe("the page of an experiment", () => {
  it("says what it has come to, draws its course, and has the same in tables", async () => {
    const page = await textOf({});
    const words = wordsOf(page);
    expect(words).toContain("The split is as it should be");
    expect(words).toContain("+ 5.00 1.00 … 9.00");
    expect(words).toContain("Log-ins Sign-ups Failures Pass-throughs");
    expect(words).toContain("1,200 1,100 600 5 9 7");
    expect(words).toContain("In no statistics: 3 forced.");
    expect(page).toContain("Mind the &lt;b&gt;gap&lt;/b&gt;.");
    const plots = [...page.matchAll(/data-plot="([^"]*)"/g)].map(([, data = ""]) =>
      JSON.parse(data.replaceAll("&quot;", '"')),
    );
    expect(plots.map(({ unit, lines }) => [unit, lines.length])).toEqual([
      ["count", 4],
      ["percent", 4],
      ["p", 1],
    ]);
    expect(plots[0].lines[0].values).toEqual([600, 1_200]);
    expect(plots[0].marks).toEqual([{ at: (begin + hourMs) / 1000, label: "update experiment" }]);
    expect(page.match(/<summary>As a table/g)).toHaveLength(3);
    expect(page).toContain("/_vestibule/assets/uplot.js");
  });

  it("lists what is wrong, the leading first, and what found nothing last", async () => {
    const words = wordsOf(await textOf({}));
    const places = ["Title cause", "Title wrong", "Title watch", "2 checks that found nothing", "Title fine"].map(
      (text) => words.indexOf(text),
    );
    expect(places.every((place) => place >= 0) || words).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(words).toContain("Begin here.");
    expect(words).toContain("The log cannot be reached.");
  });

  it("is shown all the same where the ledger cannot be reached", async () => {
    const refusal = {
      statusCode: 503,
      message: "The ledger cannot be reached; try again.",
      errorCode: "ledger_unavailable",
    };
    const page = await textOf({ report: refusal, diagnosis: refusal });
    expect(wordsOf(page)).toContain("The ledger cannot be reached");
    expect(page).not.toContain("uplot.js");
  });

  it("of a draft asks nothing of the ledger", async () => {
    const page = await textOf({ experiment: { status: "draft", started_at: undefined } });
    expect(page).not.toContain("Results");
    expect(page).not.toContain("Diagnosis");
  });

  it("of what nobody has seen yet says so", async () => {
    const nothing = report.variations.map((one) => ({
      ...one,
      assignments: 0,
      exposures: 0,
      logins: 0,
      rates: { ...one.rates, login: rate(null) },
    }));
    expect(wordsOf(await textOf({ report: { ...report, variations: nothing, hours: [] } }))).toContain(
      "Nobody is counted yet",
    );
  });

  it.each([
    ["red", "Sample ratio mismatch"],
    ["yellow", "somewhat off"],
    ["not_enough_data", "Too early"],
    ["not_applicable", "segments decide"],
  ])("says of the verdict %s: %s", async (verdict, text) => {
    expect(wordsOf(await textOf({ report: { ...report, srm: { ...report.srm, verdict } } }))).toContain(text);
  });
});
