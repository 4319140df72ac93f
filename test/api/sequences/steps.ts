/** Requests to make of a world, whatever it holds by then, and what must come of each. */
import type { Answer } from "../client.ts";
import {
  type Allocation,
  allocates,
  type Experiment,
  type Flag,
  isValid,
  lockOf,
  nextStatuses,
  patchFields,
  type Value,
  type World,
} from "./world.ts";

export const stepKinds = [
  "create_flag",
  "patch_flag",
  "flag_status",
  "delete_flag",
  "create_variation",
  "patch_variation",
  "delete_variation",
  "create_segment",
  "delete_segment",
  "create_experiment",
  "patch_experiment",
  "experiment_status",
  "delete_experiment",
  "advance_ramp",
  "create_group",
  "delete_group",
] as const;
export type StepKind = (typeof stepKinds)[number];

/** Numbers to choose by: what they choose depends on what is there. */
export interface Step {
  kind: StepKind;
  at: number;
  by: number;
  how: number;
}

export interface Request {
  method: string;
  path: string;
  body?: object;
  /** The code of the refusal to come; `invalid` for whichever tells that an experiment is not valid; undefined: a success. */
  refusal?: string | undefined;
  /** What a success changes. */
  apply?(answer: Answer["body"]): void;
}

const nobody = "Nobody";
const names = ["Alpha", "Beta", "Gamma", "Delta"];
const nameBy = (by: number) => names[by % names.length] as string;

/** One of `items`; now and then one that is gone, or never was. */
function pick<Item extends { id: string }>(items: readonly Item[], at: number, gone: readonly string[], under: string) {
  const item = at % 12 === 0 ? undefined : items[at % Math.max(1, items.length)];
  const deleted = gone.filter((path) => path.startsWith(under) && !path.includes("/", under.length));
  const path =
    item === undefined ? (deleted[at % Math.max(1, deleted.length)] ?? `${under}${nobody}`) : under + item.id;
  return { item, path };
}

const pickFlag = (world: World, at: number) => pick(world.flags, at, world.gone, "/feature-flags/");
const pickExperiment = (world: World, at: number) => pick(world.experiments, at, world.gone, "/experiments/");
const pickSegment = (world: World, at: number) => pick(world.segments, at, world.gone, "/segments/");

const isTaken = (items: readonly { id: string; name: string }[], name: string, own?: string) =>
  items.some((item) => item.name === name && item.id !== own);

/** Of one type mostly: a change of type makes every override wrong. */
const titles: readonly Value[] = ["Hello", "Welcome", "Sign in", "Hello", "Welcome", "Sign in", 1];
const titleBy = (by: number) => titles[by % titles.length] as Value;
const parameters = (title: Value) => ({ title: { type: typeof title, value: title } });

function overrideFault(flag: Flag, title: Value | undefined): string | undefined {
  if (title === undefined) return undefined;
  if (typeof title !== typeof flag.title) return "override_type_mismatch";
  return title === flag.title ? "override_is_default" : undefined;
}

function remove(world: World, list: "flags" | "experiments" | "segments" | "groups", id: string, path: string): void {
  world[list] = (world[list] as { id: string }[]).filter((one) => one.id !== id) as never;
  world.gone.push(path);
}

/** Sound, or wrong in one way. */
function allocationsBy(world: World, flag: Flag | undefined, strategy: string, how: number): Allocation[] {
  const [first, second] = flag?.variations ?? [];
  const foreign = world.flags.find(({ id }) => id !== flag?.id)?.variations[0]?.id ?? `var_${nobody}`;
  const control = { variation_id: first?.id ?? foreign, is_control: true };
  const treatment = { variation_id: second?.id ?? foreign, is_control: false };
  if (strategy === "percentage") {
    const choices: Allocation[][] = [
      [
        { ...control, weight: 50 },
        { ...treatment, weight: 50 },
      ],
      [{ ...control, weight: 100 }],
      [
        { ...control, weight: 50 },
        { ...treatment, weight: 49 },
      ],
      [
        { ...control, weight: 50, is_control: false },
        { ...treatment, weight: 50 },
      ],
      [
        { ...control, weight: 50 },
        { variation_id: foreign, is_control: false, weight: 50 },
      ],
      [
        { ...control, weight: 70 },
        { ...treatment, weight: 30 },
      ],
    ];
    return choices[how % choices.length] as Allocation[];
  }
  const segment = world.segments[how % Math.max(1, world.segments.length)]?.id ?? `seg_${nobody}`;
  const targeted = { ...treatment, segment_id: segment, priority: 1 };
  const fallback = { ...control, is_fallback: true };
  const choices: Allocation[][] = [
    [targeted, fallback],
    [targeted, { ...fallback, is_control: false }],
    [{ ...targeted, is_control: true }],
    [fallback, { ...targeted, segment_id: `seg_${nobody}` }],
  ];
  return choices[how % choices.length] as Allocation[];
}

const lacksSegment = (world: World, allocations: Allocation[]) =>
  allocations.some(({ segment_id }) => segment_id !== undefined && world.segments.every(({ id }) => id !== segment_id));

const ramps = [[], [5, 50, 100], [], [0, 100], [50, 5], [5, 50, 100]];

export const steps: Readonly<Record<StepKind, (world: World, step: Omit<Step, "kind">) => Request>> = {
  create_flag(world, { by, how }) {
    const body = { name: nameBy(by), parameters: parameters(titleBy(how)) };
    return {
      method: "POST",
      path: "/feature-flags",
      body,
      refusal: isTaken(world.flags, body.name) ? "feature_flag_name_taken" : undefined,
      apply: ({ id }) =>
        void world.flags.push({ id, name: body.name, status: "draft", title: titleBy(how), variations: [] }),
    };
  },

  patch_flag(world, { at, by, how }) {
    const { item: flag, path } = pickFlag(world, at);
    const isName = how % 2 === 0;
    const body = isName ? { name: nameBy(by) } : { parameters: parameters(titleBy(by)) };
    const isTakenName = isName && isTaken(world.flags, nameBy(by), flag?.id);
    return {
      method: "PATCH",
      path,
      body,
      refusal:
        flag === undefined
          ? "feature_flag_not_found"
          : flag.status === "archived"
            ? "feature_flag_archived"
            : isTakenName
              ? "feature_flag_name_taken"
              : undefined,
      apply() {
        if (flag !== undefined) Object.assign(flag, isName ? { name: nameBy(by) } : { title: titleBy(by) });
      },
    };
  },

  flag_status(world, { at, how }) {
    const { item: flag, path } = pickFlag(world, at);
    // Archiving ends what can be done with a flag: rarely.
    const status = (["active", "active", "active", "draft", "archived"] as const)[how % 5] ?? "active";
    const isNext = flag?.status === "draft" ? status !== "draft" : flag?.status === "active" && status === "archived";
    const refusal = !isNext
      ? "invalid_status_transition"
      : status === "active" && (flag?.variations.length ?? 0) < 2
        ? "feature_flag_too_few_variations"
        : undefined;
    return {
      method: "POST",
      path: `${path}/status`,
      body: { status },
      refusal: flag === undefined ? "feature_flag_not_found" : refusal,
      apply() {
        if (flag !== undefined) flag.status = status;
      },
    };
  },

  delete_flag(world, { at }) {
    const { item: flag, path } = pickFlag(world, at);
    const isInUse = world.experiments.some(({ flagId, status }) => flagId === flag?.id && status !== "archived");
    const isReferenced = world.groups.some(({ flagIds }) => flag !== undefined && flagIds.includes(flag.id));
    return {
      method: "DELETE",
      path,
      refusal: isInUse ? "feature_flag_in_use" : isReferenced ? "feature_flag_referenced" : undefined,
      apply() {
        if (flag !== undefined) remove(world, "flags", flag.id, path);
      },
    };
  },

  create_variation(world, { at, by, how }) {
    const { item: flag, path } = pickFlag(world, at);
    const title = how % 3 === 0 ? undefined : titleBy(how);
    const name = nameBy(by);
    const fault = flag && overrideFault(flag, title);
    return {
      method: "POST",
      path: `${path}/variations`,
      body: { name, overrides: title === undefined ? {} : { title: { value: title } } },
      refusal:
        flag === undefined
          ? "feature_flag_not_found"
          : flag.status === "archived"
            ? "feature_flag_archived"
            : (fault ?? (isTaken(flag.variations, name) ? "variation_name_taken" : undefined)),
      apply: ({ id }) => void flag?.variations.push({ id, name, ...(title === undefined ? {} : { title }) }),
    };
  },

  patch_variation(world, { at, by, how }) {
    const { item: flag, path } = pickFlag(world, at);
    const { item: variation, path: under } = pick(flag?.variations ?? [], by, [], `${path}/variations/`);
    const title = titleBy(how);
    const refusal =
      variation === undefined
        ? "variation_not_found"
        : flag?.status === "archived"
          ? "feature_flag_archived"
          : flag && overrideFault(flag, title);
    return {
      method: "PATCH",
      path: under,
      body: { overrides: { title: { value: title } } },
      refusal: flag === undefined ? "feature_flag_not_found" : refusal,
      apply() {
        if (variation !== undefined) variation.title = title;
      },
    };
  },

  delete_variation(world, { at, by }) {
    const { item: flag, path } = pickFlag(world, at);
    const { item: variation, path: under } = pick(flag?.variations ?? [], by, [], `${path}/variations/`);
    const isInUse = variation !== undefined && world.experiments.some((one) => allocates(one, variation.id));
    const refusal =
      variation === undefined
        ? undefined
        : flag?.status === "archived"
          ? "feature_flag_archived"
          : flag?.variations.length === 1
            ? "last_variation"
            : isInUse
              ? "variation_in_use"
              : undefined;
    return {
      method: "DELETE",
      path: under,
      refusal: flag === undefined ? "feature_flag_not_found" : refusal,
      apply() {
        if (flag === undefined || variation === undefined) return;
        flag.variations = flag.variations.filter(({ id }) => id !== variation.id);
        world.gone.push(under);
      },
    };
  },

  create_segment(world, { by }) {
    const name = nameBy(by);
    return {
      method: "POST",
      path: "/segments",
      body: { name, rules: [{ match: { device_type: ["mobile"] } }] },
      refusal: isTaken(world.segments, name) ? "segment_name_taken" : undefined,
      apply: ({ id }) => void world.segments.push({ id, name }),
    };
  },

  delete_segment(world, { at }) {
    const { item: segment, path } = pickSegment(world, at);
    const isInUse = segment !== undefined && world.experiments.some((one) => allocates(one, segment.id));
    return {
      method: "DELETE",
      path,
      refusal: isInUse ? "segment_in_use" : undefined,
      apply() {
        if (segment !== undefined) remove(world, "segments", segment.id, path);
      },
    };
  },

  create_experiment(world, { at, by, how }) {
    const { item: flag } = pickFlag(world, at);
    const name = nameBy(by);
    const strategy = how % 4 === 0 ? "segment" : "percentage";
    // Sound ones more often: only those get anywhere.
    const allocations = allocationsBy(world, flag, strategy, how % 3 === 1 ? 0 : how >> 2);
    const levels = strategy === "percentage" ? (ramps[(how >> 1) % ramps.length] as number[]) : [];
    const refusal = lacksSegment(world, allocations)
      ? "unknown_segment"
      : isTaken(world.experiments, name)
        ? "experiment_name_taken"
        : undefined;
    return {
      method: "POST",
      path: "/experiments",
      body: {
        name,
        feature_flag_id: flag?.id ?? `flg_${nobody}`,
        authentication_flow: "authentication",
        allocation_strategy: strategy,
        assignment_config: { subject: "device" },
        allocations,
        ...(levels.length > 0 ? { levels } : {}),
      },
      refusal: flag === undefined ? "feature_flag_not_found" : refusal,
      apply({ id }) {
        if (flag === undefined) return;
        world.experiments.push({ id, name, flagId: flag.id, status: "draft", strategy, allocations, levels });
      },
    };
  },

  patch_experiment(world, { at, by, how }) {
    const { item: experiment, path } = pickExperiment(world, at);
    const field = patchFields[by % patchFields.length] ?? "name";
    const flag = world.flags.find(({ id }) => id === experiment?.flagId);
    const allocations = allocationsBy(world, flag, experiment?.strategy ?? "percentage", how);
    const levels = ramps[how % ramps.length] as number[];
    const value = {
      name: nameBy(how),
      description: how % 2 === 0 ? null : "Said otherwise",
      authentication_flow: "mfa_challenge",
      assignment_config: { subject: how % 2 === 0 ? "device" : "user" },
      allocations,
      levels,
      bucketing_salt: how % 2 === 0 ? null : `salt ${how}`,
    }[field];
    let refusal = experiment && lockOf(field, experiment.status);
    if (refusal === undefined && field === "allocations" && experiment !== undefined) {
      const isForeign = allocations.some(
        ({ variation_id }) => flag === undefined || flag.variations.every(({ id }) => id !== variation_id),
      );
      if (lacksSegment(world, allocations)) refusal = "unknown_segment";
      else if (isForeign && experiment.status !== "draft") refusal = "variation_not_from_flag";
    }
    if (field === "name" && isTaken(world.experiments, nameBy(how), experiment?.id)) refusal = "experiment_name_taken";
    return {
      method: "PATCH",
      path,
      body: { [field]: value },
      refusal: experiment === undefined ? "experiment_not_found" : refusal,
      apply() {
        if (experiment === undefined) return;
        if (field === "name") experiment.name = nameBy(how);
        if (field === "allocations") experiment.allocations = allocations;
        if (field === "levels") {
          experiment.levels = levels;
          delete experiment.level;
        }
      },
    };
  },

  experiment_status(world, { at, how }) {
    const { item: experiment, path } = pickExperiment(world, at);
    const statuses = ["active", "active", "paused", "completed", "archived"] as const;
    const [likely = "active", ...others] = nextStatuses[experiment?.status ?? "draft"];
    const legal = [likely, likely, likely, ...others];
    const status = (how % 4 === 0 ? statuses[how % 5] : legal[how % legal.length]) ?? "active";
    return {
      method: "POST",
      path: `${path}/status`,
      body: { status },
      refusal: experiment === undefined ? "experiment_not_found" : transitionFault(world, experiment, status),
      apply() {
        if (experiment !== undefined) experiment.status = status;
      },
    };
  },

  delete_experiment(world, { at }) {
    const { item: experiment, path } = pickExperiment(world, at);
    return {
      method: "DELETE",
      path,
      refusal: experiment?.status === "active" ? "experiment_is_active" : undefined,
      apply() {
        if (experiment !== undefined) remove(world, "experiments", experiment.id, path);
      },
    };
  },

  advance_ramp(world, { at, how }) {
    const { item: experiment, path } = pickExperiment(world, at);
    const { status, levels = [], level = levels[0] } = experiment ?? {};
    const next = levels[levels.indexOf(level ?? Number.NaN) + 1];
    const target_level = [next, level, next, 50, 7][how % 5] ?? 100;
    const isRamp = (status === "active" || status === "paused") && levels.length > 0;
    const isStep = isRamp && (target_level === level || (level !== undefined && target_level === next));
    return {
      method: "POST",
      path: `${path}/advance-ramp`,
      body: { target_level },
      refusal: experiment === undefined ? "experiment_not_found" : isStep ? undefined : "invalid_ramp_level",
      apply() {
        if (experiment !== undefined) experiment.level = target_level;
      },
    };
  },

  create_group(world, { at, by, how }) {
    const { item: flag } = pickFlag(world, at);
    const type = how % 2 === 0 ? "holdout" : "mutual_exclusion";
    const flagId = flag?.id ?? `flg_${nobody}`;
    const name = nameBy(by);
    const isHeld = world.groups.some((group) => group.type === type && group.flagIds.includes(flagId));
    const member = { percentage: how % 101, feature_flag_ids: [flagId] };
    return {
      method: "POST",
      path: "/groups",
      body: { name, type, ...(type === "holdout" ? member : { slots: [member] }) },
      refusal: isTaken(world.groups, name)
        ? "group_name_taken"
        : flag === undefined || isHeld
          ? "invalid_group"
          : undefined,
      apply: ({ id }) => void world.groups.push({ id, name, type, flagIds: [flagId] }),
    };
  },

  delete_group(world, { at }) {
    const { item: group, path } = pick(world.groups, at, world.gone, "/groups/");
    return {
      method: "DELETE",
      path,
      apply() {
        if (group !== undefined) remove(world, "groups", group.id, path);
      },
    };
  },
};

function transitionFault(world: World, experiment: Experiment, status: Experiment["status"]): string | undefined {
  if (!nextStatuses[experiment.status].includes(status)) {
    const isOver = experiment.status === "completed" || experiment.status === "archived";
    return status === "active" && isOver ? "experiment_completed" : "invalid_status_transition";
  }
  return status === "active" && !isValid(world, experiment) ? "invalid" : undefined;
}
