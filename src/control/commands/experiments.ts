import { withEpoch } from "../../model/epoch.ts";
import { type Experiment, type ExperimentCreate, type ExperimentPatch, maxDrafts } from "../../model/experiment.ts";
import { expectEditable } from "../../model/experiment-status.ts";
import { type PageQuery, pageOf } from "../../model/page.ts";
import { type PresentedExperiment, presentExperiment } from "../../model/present-experiment.ts";
import { Problem } from "../../model/problem.ts";
import { type CommandContext, type Input, merged } from "../command.ts";
import type { Draft } from "../tables.ts";
import { expectAllocations, expectOwnVariations } from "./experiment-allocations.ts";
import { experimentStatusCommands } from "./experiment-status.ts";
import { findExperiment } from "./find-experiment.ts";

type Id = Input<"id", unknown>;
type Filter = Partial<Pick<Experiment, "status" | "feature_flag_id"> & { authentication_flow: string }>;

export const experimentCommands = {
  get_experiments({ draft, tenant }: CommandContext, { query }: Input<never, PageQuery & Filter>) {
    const { status, authentication_flow: flow, feature_flag_id: flagId } = query;
    const rows = draft
      .rows("experiment")
      .filter(
        ({ item }) =>
          (status === undefined || item.status === status) &&
          (flow === undefined || item.authentication_flow === flow) &&
          (flagId === undefined || item.feature_flag_id === flagId),
      );
    const { items, ...page } = pageOf(rows, query);
    return { experiments: items.map((item) => presentExperiment(item, draft.resources(), tenant)), ...page };
  },

  create_experiment(context: CommandContext, { body }: Input<never, unknown, ExperimentCreate>) {
    const { draft, at, newId } = context;
    const { allocation_strategy, assignment_config, allocations, ...rest } = body;
    if (allocation_strategy === undefined || assignment_config === undefined || allocations === undefined) {
      const missing = required.filter((field) => body[field] === undefined);
      throw new Problem("experiment_incomplete", `Missing: ${missing.join(", ")}.`);
    }
    if (draft.get("feature_flag", body.feature_flag_id) === undefined) throw new Problem("feature_flag_not_found");
    expectAllocations(draft, allocations, allocation_strategy);
    if (draft.all("experiment").filter(({ status }) => status === "draft").length >= maxDrafts) {
      throw new Problem("experiment_draft_limit_exceeded");
    }
    return store(context, {
      id: newId("exp"),
      ...rest,
      allocation_strategy,
      assignment_config,
      status: "draft",
      allocations,
      epoch: 1,
      created_at: at,
      updated_at: at,
    });
  },

  get_experiment({ draft, tenant }: CommandContext, { params }: Id) {
    return presentExperiment(findExperiment(draft, params.id), draft.resources(), tenant);
  },

  update_experiment(context: CommandContext, { params, body }: Input<"id", unknown, ExperimentPatch>) {
    const { draft, at } = context;
    const experiment = findExperiment(draft, params.id);
    expectEditable(experiment, body);
    if (body.allocations !== undefined) {
      expectAllocations(draft, body.allocations, experiment.allocation_strategy);
      if (experiment.status !== "draft") expectOwnVariations(draft, experiment.feature_flag_id, body.allocations);
    }
    // A level in force is one of the levels it was chosen from.
    const changes = body.levels === undefined ? body : { ...body, current_level: null };
    return store(context, withEpoch(experiment, { ...merged(experiment, changes), updated_at: at }));
  },

  delete_experiment({ draft }: CommandContext, { params }: Id) {
    if (draft.get("experiment", params.id)?.status === "active") throw new Problem("experiment_is_active");
    draft.remove("experiment", params.id);
  },

  ...experimentStatusCommands,
};

const required = ["allocation_strategy", "assignment_config", "allocations"] as const;

function store({ draft, tenant }: CommandContext, experiment: Experiment): PresentedExperiment {
  const namesake = namesakeOf(draft, experiment);
  if (namesake !== undefined) throw new Problem("experiment_name_taken", `It is ${namesake.id}.`);
  draft.put("experiment", experiment);
  return presentExperiment(experiment, draft.resources(), tenant);
}

function namesakeOf(draft: Draft, { id, name }: Experiment): Experiment | undefined {
  return draft.all("experiment").find((other) => other.name === name && other.id !== id);
}
