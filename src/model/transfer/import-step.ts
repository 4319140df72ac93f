/** One resource that an import changes. */
import type { Cohort } from "../cohort.ts";
import type { Deployment } from "../deployment.ts";
import type { Experiment } from "../experiment.ts";
import type { FeatureFlag } from "../feature-flag.ts";
import type { Group } from "../group.ts";
import { isSameJson } from "../json-value.ts";
import { byId, placeOf, type Resources } from "../resources.ts";
import type { Segment } from "../segment.ts";
import type { Variation } from "../variation.ts";
import { variationPath } from "./import-problem.ts";

interface Types {
  deployment: Deployment;
  cohort: Cohort;
  segment: Segment;
  feature_flag: FeatureFlag;
  variation: Variation;
  group: Group;
  experiment: Experiment;
}
export type ResourceType = keyof Types;

/** What is referred to comes before what refers to it. */
export const listOf = {
  deployment: "deployments",
  cohort: "cohorts",
  segment: "segments",
  feature_flag: "feature_flags",
  variation: "variations",
  group: "groups",
  experiment: "experiments",
} as const satisfies Record<ResourceType, keyof Resources>;
const types = Object.keys(listOf) as ResourceType[];

interface StepOf<Type extends ResourceType> {
  type: Type;
  before: Types[Type] | undefined;
  /** Undefined where it is deleted. */
  after: Types[Type] | undefined;
  /** Of an update, what differs; `order` is a variation's place among its siblings. */
  fields: string[];
  /** Where the file names it; empty where it does not. */
  path: string;
  /** Whether it is to come last among its kind. */
  isMoved: boolean;
  /** Of a variation that is deleted: whether its flag is too. */
  isWithFlag: boolean;
}
export type ImportStep = { [Type in ResourceType]: StepOf<Type> }[ResourceType];

/** @param moved ids of the variations that change places */
export function stepsBetween(
  current: Resources,
  result: Resources,
  named: Resources,
  moved: ReadonlySet<string>,
): ImportStep[] {
  return types.flatMap((type) => {
    const [before, after, wanted]: (readonly Item[])[] = [current, result, named].map((one) => one[listOf[type]]);
    if (before === undefined || after === undefined || wanted === undefined) return [];
    const ids = new Set([...after, ...before].map(({ id }) => id));
    return [...ids].flatMap((id): ImportStep[] => {
      const [was, is] = [byId(before, id), byId(after, id)];
      const isMoved = type === "variation" && moved.has(id);
      if (was === is && !isMoved) return [];
      const flagId = (is ?? was)?.feature_flag_id ?? "";
      const place = placeOf(wanted, id);
      const path =
        type === "variation" ? variationPath(id, flagId, named) : place < 0 ? "" : `${listOf[type]}[${place}]`;
      const fields =
        was === undefined || is === undefined ? [] : [...differing(was, is), ...(isMoved ? ["order"] : [])];
      const isWithFlag = type === "variation" && is === undefined && placeOf(result.feature_flags, flagId) < 0;
      return [{ type, before: was, after: is, fields, path: path ?? "", isMoved, isWithFlag } as ImportStep];
    });
  });
}

interface Item {
  id: string;
  feature_flag_id?: string;
}

/** Fields in which two states of a resource differ, their times aside. */
export function differing(one: object, other: object): string[] {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter(
    (name) =>
      name !== "created_at" &&
      name !== "updated_at" &&
      !isSameJson(one[name as keyof object], other[name as keyof object]),
  );
}
