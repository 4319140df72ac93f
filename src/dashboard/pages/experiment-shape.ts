/** Between an experiment and the form that shows it. */
import { type Experiment, segmentAllocations } from "../../model/experiment.ts";
import type { Json, Read } from "../forms/read-form.ts";
import { valuesOf } from "../forms/values.ts";

type Strategy = Experiment["allocation_strategy"];

/** @param variationIds of the flag, each of which has a row under the percentage strategy */
export function experimentValues(experiment: Experiment, variationIds: readonly string[]): URLSearchParams {
  const { name, description, authentication_flow, assignment_config, allocations, levels, bucketing_salt } = experiment;
  const fallback = allocations.find(({ is_fallback }) => is_fallback === true);
  return valuesOf({
    name,
    description,
    authentication_flow,
    subject: assignment_config.subject,
    levels: levels?.join(", "),
    bucketing_salt,
    control: allocations.find(({ is_control }) => is_control)?.variation_id,
    fallback: fallback?.variation_id,
    allocations:
      experiment.allocation_strategy === "percentage"
        ? variationIds.map((id) => ({
            key: id,
            weight: allocations.find(({ variation_id }) => variation_id === id)?.weight,
          }))
        : segmentAllocations(experiment).map(({ segment_id, variation_id }) => ({ segment_id, variation_id })),
  });
}

/** An even split over all of them: whole percents, the first taking what is over. */
export function evenWeights(count: number): number[] {
  const each = Math.floor(100 / Math.max(1, count));
  return Array.from({ length: count }, (_, place) => (place === 0 ? 100 - each * (count - 1) : each));
}

type Row = Record<string, Json>;

export const shapeExperiment =
  (strategy: Strategy) =>
  ({ body, faults, places }: Read): Read => {
    const { allocations: rows = [], control, fallback, subject, levels = "", ...own } = body;
    const controls = new Map(places);
    const at = (place: number) => controls.get(`allocations[${place}]`) ?? `allocations[${place}]`;
    const { allocations, paths } =
      strategy === "percentage" ? byPercentage(rows, control, at) : bySegment(rows, control, fallback, at);
    return {
      body: {
        ...own,
        ...(subject === undefined ? {} : { assignment_config: { subject } }),
        allocations,
        levels: levelsOf(levels),
      },
      faults,
      places: [...paths, ["assignment_config.subject", "subject"], ["assignment_config", "subject"]],
    };
  };

interface Shaped {
  allocations: Row[];
  paths: [string, string][];
}

/** Who is given no weight has no part in it. */
function byPercentage(rows: readonly Row[], control: unknown, at: (place: number) => string): Shaped {
  const paths: [string, string][] = [];
  const allocations = rows.flatMap(({ key, weight }, place) => {
    if (weight === undefined) return [];
    return [{ at: at(place), allocation: { variation_id: key, weight, is_control: key === control } }];
  });
  allocations.forEach(({ at: row }, place) => {
    paths.push([`allocations[${place}]`, row]);
  });
  return { allocations: allocations.map(({ allocation }) => allocation), paths };
}

/** In the order of the rows; the control is the fallback where that gives it, else the first row that does. */
function bySegment(rows: readonly Row[], control: unknown, fallback: unknown, at: (place: number) => string): Shaped {
  const isFallbackControl = control !== undefined && control === fallback;
  const first = isFallbackControl ? -1 : rows.findIndex(({ variation_id }) => variation_id === control);
  const allocations: Row[] = rows.map((row, place) => ({ ...row, priority: place + 1, is_control: place === first }));
  const paths = rows.map((_, place): [string, string] => [`allocations[${place}]`, at(place)]);
  if (fallback === undefined) return { allocations, paths };
  return {
    allocations: [...allocations, { variation_id: fallback, is_fallback: true, is_control: isFallbackControl }],
    paths: [...paths, [`allocations[${rows.length}]`, "fallback"]],
  };
}

/** What is no number is sent as it is: the API says so in its own words. */
function levelsOf(text: string): Json[] {
  return text
    .split(/[\s,;%]+/)
    .filter(Boolean)
    .map((level) => (Number.isNaN(Number(level)) ? level : Number(level)));
}
