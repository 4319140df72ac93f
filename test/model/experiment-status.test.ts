import { describe, expect, it } from "vitest";
import { type ExperimentTransition, nextLevel } from "../../src/model/experiment.ts";
import {
  editableFields,
  expectEditable,
  expectTransition,
  type PatchField,
} from "../../src/model/experiment-status.ts";
import { Problem } from "../../src/model/problem.ts";
import type { ExperimentStatus } from "../../src/model/snapshot.ts";
import { experiment } from "./resources.ts";

function codeOf(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

const statuses: ExperimentStatus[] = ["draft", "active", "paused", "completed", "archived"];
const targets: ExperimentTransition["status"][] = ["active", "paused", "completed", "archived"];
const no = "invalid_status_transition";
const over = "experiment_completed";

describe("transitions", () => {
  it.each<[ExperimentStatus, (string | undefined)[]]>([
    ["draft", [undefined, no, no, undefined]],
    ["active", [no, undefined, undefined, no]],
    ["paused", [undefined, no, undefined, no]],
    ["completed", [over, no, no, undefined]],
    ["archived", [over, no, no, no]],
  ])("from %s", (from, expected) => {
    expect(targets.map((to) => codeOf(() => expectTransition(from, to)))).toEqual(expected);
  });

  it("say what is allowed", () => {
    expect(() => expectTransition("active", "archived")).toThrow("It is active, and may become paused or completed.");
    expect(() => expectTransition("archived", "paused")).toThrow("It is archived, and stays so.");
  });
});

describe("editing", () => {
  const patch = {
    name: "Same",
    description: null,
    authentication_flow: "authentication",
    assignment_config: { subject: "device" },
    allocations: [],
    levels: [],
    bucketing_salt: "salt",
  } as const;
  const fields = Object.keys(patch) as PatchField[];
  const inState = (status: ExperimentStatus) => experiment({ status });

  it.each<[ExperimentStatus, (string | undefined)[]]>([
    ["draft", []],
    [
      "active",
      [
        "authentication_flow_locked",
        "assignment_config_locked",
        "experiment_requires_pause",
        "levels_locked",
        "experiment_requires_pause",
      ],
    ],
    ["paused", ["authentication_flow_locked", "assignment_config_locked", "levels_locked"]],
    [
      "completed",
      [
        "authentication_flow_locked",
        "assignment_config_locked",
        "experiment_locked",
        "levels_locked",
        "experiment_locked",
      ],
    ],
    ["archived", ["experiment_locked", "experiment_locked", "experiment_locked", "levels_locked", "experiment_locked"]],
  ])("in %s", (status, expected) => {
    const codes = fields.map((field) =>
      codeOf(() => expectEditable(inState(status), { [field]: structuredClone(patch[field]) })),
    );
    expect(codes.filter(Boolean)).toEqual(expected);
  });

  it("is announced as it is allowed, in every state", () => {
    for (const status of statuses) {
      const allowed = fields.filter(
        (field) => codeOf(() => expectEditable(inState(status), { [field]: patch[field] } as object)) === undefined,
      );
      expect(editableFields(inState(status))).toEqual(allowed);
    }
  });

  it("names what may change instead", () => {
    expect(() => expectEditable(inState("completed"), { bucketing_salt: "x" })).toThrow(
      "bucketing_salt: only name, description may change.",
    );
    expect(() => expectEditable(inState("active"), { bucketing_salt: "x" })).toThrow(
      "Cannot modify allocations on an active experiment. bucketing_salt: only name",
    );
  });
});

it("the next level", () => {
  expect(nextLevel(experiment({ levels: [5, 25, 100] }))).toBe(25);
  expect(nextLevel(experiment({ levels: [5, 25, 100], current_level: 25 }))).toBe(100);
  expect(nextLevel(experiment({ levels: [5, 25, 100], current_level: 100 }))).toBeUndefined();
  expect(nextLevel(experiment())).toBeUndefined();
});
