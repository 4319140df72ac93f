/** Report and diagnosis begin here: what is configured, and was. The rest is asked of other objects afterwards. */

import type { Flag } from "../../engine/flag.ts";
import { askedProperties } from "../../model/asked-properties.ts";
import { checkExperiment } from "../../model/check/check-experiment.ts";
import { createCohortNeeds } from "../../model/cohort-needs.ts";
import { epochsOf, levelsOf, togglesOf } from "../../model/epoch-history.ts";
import type { Experiment } from "../../model/experiment.ts";
import type { ExperimentRecord } from "../../model/experiment-record.ts";
import type { FeatureFlag } from "../../model/feature-flag.ts";
import { presentProblem } from "../../model/present-experiment.ts";
import { byId, flagOf, variationsOf } from "../../model/resources.ts";
import type { CommandContext, Input } from "../command.ts";
import { isPending } from "../publisher.ts";
import { findExperiment } from "./find-experiment.ts";

/** More than anybody makes to one resource while an experiment runs. */
const mostChanges = 500;

export const experimentRecordCommands = {
  get_experiment_report: recordOf,
  get_experiment_diagnosis: recordOf,
};

function recordOf({ draft, desk, tenant }: CommandContext, { params }: Input<"id">): ExperimentRecord {
  const resources = draft.resources();
  const experiment = findExperiment(draft, params.id);
  const flag = flagOf(experiment, resources);
  const changes = <Resource>(id: string, since?: string) =>
    desk
      .changes({ resource_id: id, take: mostChanges, ...(since === undefined ? {} : { since }) })
      .reverse()
      .map(({ at, before, after }) => ({ at, before: before as Resource | null, after: after as Resource | null }));
  const own = changes<Experiment>(experiment.id);
  const { started_at } = experiment;
  const snapshot = desk.snapshot();
  const served = snapshot.flags.find(({ key }) => key === flag?.key) as Flag | undefined;
  const control = experiment.allocations.find(({ is_control }) => is_control)?.variation_id;
  const needed = served === undefined ? [] : (createCohortNeeds(snapshot.flags as Flag[])(served.key) ?? []);
  const facts = desk.facts();
  return {
    experiment,
    flag:
      flag === undefined ? null : { ...named(flag), key: flag.key, status: flag.status, deployments: flag.deployments },
    variations: (flag === undefined ? [] : variationsOf(flag, resources)).map((variation) => ({
      ...named(variation),
      key: variation.key,
      is_control: variation.id === control,
    })),
    errors: checkExperiment(experiment, resources, tenant).map((problem) => presentProblem(problem, resources)),
    is_entitled: tenant.entitled,
    verifies_users: tenant.verifiesUsers,
    gate_flows: tenant.gateFlows,
    active_limit: tenant.activeLimit,
    others_active: resources.experiments
      .filter(({ id, status }) => status === "active" && id !== experiment.id)
      .map(named),
    epochs: epochsOf(experiment, own),
    levels: levelsOf(own),
    sticky_toggles:
      flag === undefined || started_at === undefined ? [] : togglesOf(changes<FeatureFlag>(flag.id, started_at)),
    ended_before: endedBefore(experiment, resources.experiments).map(named),
    deployments: resources.deployments.map((deployment) => ({ ...named(deployment), type: deployment.type })),
    segments: experiment.allocations.flatMap(({ segment_id = "" }) => {
      const segment = byId(resources.segments, segment_id);
      return segment === undefined ? [] : [named(segment)];
    }),
    cohorts: needed.flatMap((id) => {
      const cohort = byId(resources.cohorts, id);
      if (cohort === undefined) return [];
      return [{ ...named(cohort), is_fetched: cohort.source.type === "url", refresh_minutes: cohort.refresh_minutes }];
    }),
    properties: served === undefined ? [] : askedProperties(served).map((path) => path.join(".")),
    pending: isPending(facts)
      ? { since: facts.pendingSince ?? facts.committedAt ?? "", last_error: facts.publishing?.lastError ?? null }
      : null,
  };
}

const named = ({ id, name }: { id: string; name: string }) => ({ id, name });

function endedBefore({ id, started_at, created_at }: Experiment, experiments: readonly Experiment[]): Experiment[] {
  const begun = started_at ?? created_at;
  return experiments
    .filter(({ id: other, ended_at }) => other !== id && ended_at !== undefined && ended_at < begun)
    .sort((a, b) => ((a.ended_at ?? "") < (b.ended_at ?? "") ? 1 : -1));
}
