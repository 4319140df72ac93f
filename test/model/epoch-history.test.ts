import { expect, test } from "vitest";
import { epochsOf, levelsOf, togglesOf } from "../../src/model/epoch-history.ts";
import type { Experiment } from "../../src/model/experiment.ts";
import type { FeatureFlag } from "../../src/model/feature-flag.ts";

const at = (day: number) => `2026-03-0${day}T00:00:00.000Z`;

const experiment = (changes: Partial<Experiment> & { weights?: number[] } = {}): Experiment => {
  const { weights = [50, 50], ...rest } = changes;
  return {
    id: "exp_1",
    name: "One",
    feature_flag_id: "flg_1",
    authentication_flow: "authentication",
    allocation_strategy: "percentage",
    assignment_config: { subject: "device" },
    status: "active",
    allocations: weights.map((weight, index) => ({ variation_id: `var_${index}`, is_control: index === 0, weight })),
    epoch: 1,
    created_at: at(1),
    updated_at: at(1),
    ...rest,
  };
};

const changes = (...states: Experiment[]) =>
  states.map((after, index) => ({ at: at(index + 1), before: states[index - 1] ?? null, after }));

test("an epoch begins where a running experiment first has it, and lasts until the next", () => {
  const now = experiment({ epoch: 3, weights: [60, 20, 20] });
  const history = changes(
    experiment({ status: "draft", weights: [10, 90] }),
    experiment(),
    experiment({ status: "paused" }),
    experiment({ status: "paused", epoch: 2, weights: [60, 40] }),
    experiment({ epoch: 2, weights: [60, 40] }),
    now,
  );
  expect(epochsOf(now, history)).toEqual([
    { epoch: 1, from: at(2), to: at(4), shares: { var_0: 0.5, var_1: 0.5 } },
    { epoch: 2, from: at(4), to: at(6), shares: { var_0: 0.6, var_1: 0.4 } },
    { epoch: 3, from: at(6), to: null, shares: { var_0: 0.6, var_1: 0.2, var_2: 0.2 } },
  ]);
});

test("weights are parts of their sum; what ended has an end; what the log does not know has no beginning", () => {
  const ended = experiment({ epoch: 4, status: "completed", ended_at: at(9), weights: [1, 3] });
  expect(epochsOf(ended, [])).toEqual([{ epoch: 4, from: null, to: at(9), shares: { var_0: 0.25, var_1: 0.75 } }]);
});

test("segments are no chance", () => {
  expect(epochsOf(experiment({ allocation_strategy: "segment" }), [])).toMatchObject([{ shares: null }]);
});

test("the ramp's levels as they were reached", () => {
  const levels = [5, 25, 100];
  const ramped = (current_level: number) => experiment({ levels, current_level });
  const history = changes(experiment({ status: "draft", levels }), ramped(5), ramped(5), ramped(25));
  expect(levelsOf(history)).toEqual([
    { at: at(2), level: 5 },
    { at: at(4), level: 25 },
  ]);
});

test("sticky bucketing's toggles; a flag that began with it has toggled nothing", () => {
  const flag = (sticky_bucketing?: boolean) =>
    ({ rollout: sticky_bucketing === undefined ? {} : { sticky_bucketing } }) as unknown as FeatureFlag;
  const history = [
    { at: at(1), before: null, after: flag(true) },
    { at: at(2), before: flag(true), after: flag(true) },
    { at: at(3), before: flag(true), after: flag() },
    { at: at(4), before: flag(), after: flag(true) },
  ];
  expect(togglesOf(history)).toEqual([
    { at: at(3), is_on: false },
    { at: at(4), is_on: true },
  ]);
});
