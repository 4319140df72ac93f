import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { nativeProblems } from "../../src/api/native/refuse.ts";
import { validationWarningCodes } from "../../src/model/check/warn-experiment.ts";
import { warningCode } from "../../src/model/log-entry.ts";
import { problems } from "../../src/model/problem.ts";
import { problemCodes } from "../../src/model/resources.ts";

const text = readFileSync(`${import.meta.dirname}/../../docs/problems.md`, "utf8");

/** The rows under the heading that begins so: cells of code, then the rest. */
function rowsUnder(heading: string): string[][] {
  const section = text.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
  return [...section.matchAll(/^\| `([a-z_]+)` +\| (.*) \|$/gm)].map(([, code = "", rest = ""]) => [
    code,
    ...rest.split(" | ").map((cell) => cell.trim()),
  ]);
}

const codesUnder = (heading: string) => rowsUnder(heading).map(([code = ""]) => code);

it("every warning is in docs/problems.md, and nothing else is", () => {
  expect(codesUnder("Warnings in the log").sort()).toEqual([...warningCode.options].sort());
});

it("every reason to fail open is", () => {
  expect(codesUnder("`x-experiment-failed-open`").sort()).toEqual([
    "budget",
    "circuit_open",
    "error",
    "session",
    "settings",
  ]);
});

it("every refusal of the management API is, with its status; those of validation stand there", () => {
  const { title: failed } = problems.experiment_validation_failed;
  const own = Object.entries(problems).filter(
    ([code, { title }]) => title !== failed || code === "experiment_validation_failed",
  );
  const rows = rowsUnder("What the management API refuses").map(([code, status]) => [code, Number(status)]);
  expect(rows.sort()).toEqual(own.map(([code, { status }]) => [code, status]).sort());
  const validation: readonly string[] = problemCodes;
  const shared = Object.keys(problems).filter((code) => !own.some(([one]) => one === code));
  expect(shared.filter((code) => !validation.includes(code))).toEqual([]);
});

it("every refusal of the native fetch API is, with its status", () => {
  const rows = rowsUnder("What the native fetch API refuses").filter(([, status]) => /^\d+$/.test(status ?? ""));
  expect(rows.map(([code, status]) => [code, Number(status)]).sort()).toEqual(
    Object.entries(nativeProblems)
      .map(([code, { status }]) => [code, status])
      .sort(),
  );
});

it("everything that validation finds is", () => {
  expect(codesUnder("What keeps an experiment").sort()).toEqual([...problemCodes].sort());
});

it("every warning of validation is", () => {
  expect(codesUnder("Warnings of validation").sort()).toEqual([...validationWarningCodes].sort());
});

it("each says what it means and what to do", () => {
  const headings = ["What the management API", "What the native fetch API", "What keeps", "Warnings"];
  const rows = headings.flatMap(rowsUnder);
  expect(rows.filter((cells) => cells.slice(1).some((cell) => cell === ""))).toEqual([]);
  expect(rows.length).toBeGreaterThan(100);
});
