import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { warningCode } from "../../src/model/log-entry.ts";
import { problemCodes } from "../../src/model/resources.ts";

const text = readFileSync(`${import.meta.dirname}/../../docs/problems.md`, "utf8");
/** What stands in the first cell of a row. */
const documented = [...text.matchAll(/^\| (`[^|]+`) +\|/gm)].flatMap(([, cell = ""]) =>
  [...cell.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code),
);
const reasons = ["budget", "circuit_open", "error", "session", "settings"];

it("every code is in docs/problems.md, and nothing else is", () => {
  expect([...documented].sort()).toEqual([...problemCodes, ...warningCode.options, ...reasons].sort());
});
