/** What the management API should hold after any requests: a reference much smaller than it, told apart from its code. */

export type Value = string | number;

export interface Flag {
  id: string;
  name: string;
  status: "draft" | "active" | "archived";
  /** Of its one parameter. */
  title: Value;
  variations: { id: string; name: string; title?: Value }[];
}

export interface Allocation {
  variation_id: string;
  is_control: boolean;
  weight?: number;
  segment_id?: string;
  priority?: number;
  is_fallback?: boolean;
}

export interface Experiment {
  id: string;
  name: string;
  flagId: string;
  status: "draft" | "active" | "paused" | "completed" | "archived";
  strategy: "percentage" | "segment";
  allocations: Allocation[];
  levels: number[];
  /** The ramp's; undefined for the first. */
  level?: number;
}

export interface Group {
  id: string;
  name: string;
  type: "holdout" | "mutual_exclusion";
  flagIds: string[];
}

export interface World {
  flags: Flag[];
  experiments: Experiment[];
  segments: { id: string; name: string }[];
  groups: Group[];
  /** Addresses of what has been deleted. */
  gone: string[];
}

export const emptyWorld = (): World => ({ flags: [], experiments: [], segments: [], groups: [], gone: [] });

export const patchFields = [
  "name",
  "description",
  "authentication_flow",
  "assignment_config",
  "allocations",
  "levels",
  "bucketing_salt",
] as const;
export type PatchField = (typeof patchFields)[number];

/** The code that refuses an edit of the field, or undefined. */
export function lockOf(field: PatchField, status: Experiment["status"]): string | undefined {
  const isDone = status === "completed" || status === "archived";
  switch (field) {
    case "name":
    case "description":
      return undefined;
    case "authentication_flow":
    case "assignment_config":
      if (status === "draft") return undefined;
      return status === "archived"
        ? "experiment_locked"
        : field === "assignment_config"
          ? `${field}_locked`
          : "authentication_flow_locked";
    case "levels":
      return status === "draft" ? undefined : "levels_locked";
    case "allocations":
    case "bucketing_salt":
      return status === "active" ? "experiment_requires_pause" : isDone ? "experiment_locked" : undefined;
  }
}

export const editableIn = (status: Experiment["status"]): PatchField[] =>
  patchFields.filter((field) => lockOf(field, status) === undefined);

/** What may follow. */
export const nextStatuses: Readonly<Record<Experiment["status"], readonly Experiment["status"][]>> = {
  draft: ["active", "archived"],
  active: ["paused", "completed"],
  paused: ["active", "completed"],
  completed: ["archived"],
  archived: [],
};

/** Whether the experiment could run: the rules of the guide, one by one. */
export function isValid(world: World, experiment: Experiment): boolean {
  const flag = world.flags.find(({ id }) => id === experiment.flagId);
  if (flag === undefined || flag.status !== "active" || flag.variations.length < 2) return false;
  if (flag.variations.some(({ title }) => title !== undefined && typeof title !== typeof flag.title)) return false;
  const { allocations, levels, strategy } = experiment;
  if (allocations.some(({ variation_id }) => flag.variations.every(({ id }) => id !== variation_id))) return false;
  if (allocations.filter(({ is_control }) => is_control).length !== 1) return false;
  if (world.experiments.some(({ id, status }) => status === "active" && id !== experiment.id)) return false;
  const areDistinct = (values: unknown[]) => new Set(values).size === values.length;
  if (strategy === "percentage") {
    const total = allocations.reduce((sum, { weight = 0 }) => sum + weight, 0);
    const isRising = levels.every((level, index) => level <= 100 && level > (levels[index - 1] ?? -1));
    return total === 100 && areDistinct(allocations.map(({ variation_id }) => variation_id)) && isRising;
  }
  const targeted = allocations.filter(({ is_fallback }) => is_fallback !== true);
  return (
    allocations.length === targeted.length + 1 &&
    targeted.every(
      ({ segment_id, priority }) => priority !== undefined && world.segments.some(({ id }) => id === segment_id),
    ) &&
    areDistinct(targeted.map(({ segment_id }) => segment_id)) &&
    areDistinct(targeted.map(({ priority }) => priority)) &&
    levels.length === 0
  );
}

export const allocates = ({ status, allocations }: Experiment, id: string): boolean =>
  status !== "archived" && allocations.some(({ variation_id, segment_id }) => variation_id === id || segment_id === id);
