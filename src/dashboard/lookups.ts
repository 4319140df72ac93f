/** Names for ids: what a page shows of other resources, each asked for once. */
import type { Experiment } from "../model/experiment.ts";
import type { FeatureFlag } from "../model/feature-flag.ts";
import type { Segment } from "../model/segment.ts";
import type { Variation } from "../model/variation.ts";
import type { Api } from "./api.ts";

export async function flagNames(api: Api, experiments: readonly Experiment[]): Promise<Map<string, string>> {
  const ids = [...new Set(experiments.map(({ feature_flag_id }) => feature_flag_id))];
  const flags = await Promise.all(ids.map((id) => api.find<FeatureFlag>(`/feature-flags/${encodeURIComponent(id)}`)));
  return namesOf(flags);
}

export async function variationsOn(api: Api, flagId: string): Promise<Variation[]> {
  const path = `/feature-flags/${encodeURIComponent(flagId)}/variations`;
  return (await api.find<{ variations: Variation[] }>(path))?.variations ?? [];
}

/** Of variations and segments that these experiments name. */
export async function allocationNames(api: Api, experiments: readonly Experiment[]): Promise<Map<string, string>> {
  const flags = [...new Set(experiments.map(({ feature_flag_id }) => feature_flag_id))];
  const segments = experiments.flatMap(({ allocations }) => allocations.flatMap(({ segment_id }) => segment_id ?? []));
  const [variations, found] = await Promise.all([
    Promise.all(flags.map((id) => variationsOn(api, id))),
    findSegments(api, segments),
  ]);
  return namesOf([...variations.flat(), ...found]);
}

/** Of segments that the flag's rollout names. */
export async function targetedNames(api: Api, { rollout }: FeatureFlag): Promise<Map<string, string>> {
  return namesOf(await findSegments(api, rollout?.targeting?.flatMap(({ segment_id }) => segment_id ?? []) ?? []));
}

function findSegments(api: Api, ids: readonly string[]): Promise<(Segment | null)[]> {
  return Promise.all([...new Set(ids)].map((id) => api.find<Segment>(`/segments/${encodeURIComponent(id)}`)));
}

function namesOf(items: readonly ({ id: string; name: string } | null)[]): Map<string, string> {
  return new Map(items.flatMap((item) => (item === null ? [] : [[item.id, item.name]])));
}
