/** Between a rollout and the form that shows it. */
import type { Rollout } from "../../model/rollout.ts";
import type { Variation } from "../../model/variation.ts";
import { memberPath } from "../forms/keyed.ts";
import type { Json, Read } from "../forms/read-form.ts";
import { valuesOf } from "../forms/values.ts";

export function rolloutValues(rollout: Rollout, variations: readonly Variation[]): URLSearchParams {
  const {
    bucketing_key,
    bucketing_salt,
    sticky_bucketing,
    dependencies = {},
    inclusions = {},
    targeting = [],
    all_users,
  } = rollout;
  const weightsOf = (weights: Readonly<Record<string, number>> = {}) =>
    variations.map(({ key }) => ({ key, weight: Object.hasOwn(weights, key) ? weights[key] : undefined }));
  return valuesOf({
    bucketing_key,
    bucketing_salt,
    sticky_bucketing,
    dependencies: Object.entries(dependencies).map(([name, allowed]) => ({ name, allowed })),
    inclusions: variations.map(({ key }) => {
      const own = Object.hasOwn(inclusions, key) ? inclusions[key] : undefined;
      return { key, user_ids: own?.user_ids ?? [], device_ids: own?.device_ids ?? [] };
    }),
    targeting: targeting.map(({ name, segment_id, percentage, weights, conditions = [] }) => ({
      name,
      segment_id,
      percentage,
      weights: weightsOf(weights),
      any: conditions.map((all) => ({
        all: all.map(({ selector, ...rest }) => ({ selector: written(selector), ...rest })),
      })),
    })),
    all_users: { percentage: all_users?.percentage, weights: weightsOf(all_users?.weights) },
  });
}

/** `context` is where all of them begin; what holds a dot itself is written as JSON. */
function written(selector: readonly string[]): string {
  const isPlain = selector[0] === "context" && selector.every((part) => !part.includes(".") && !part.startsWith("["));
  return isPlain ? selector.slice(1).join(".") : JSON.stringify(selector);
}

function selectorOf(text: string): Json {
  if (!text.startsWith("[")) return ["context", ...text.split(".")];
  try {
    return JSON.parse(text);
  } catch {
    return [text];
  }
}

type Row = Record<string, Json>;

export function shapeRollout({ body, faults, places }: Read): Read {
  const controls = new Map(places);
  const paths: [string, string][] = [];
  const at = (path: string) => controls.get(path) ?? path;
  const {
    bucketing_key,
    bucketing_salt,
    sticky_bucketing,
    dependencies = [],
    inclusions = [],
    targeting = [],
    all_users = {},
  } = body;

  function weightsOf(rows: readonly Row[] = [], path: string, control: string): Record<string, Json> {
    const given = rows.flatMap(({ key, weight }, place): [string, Json][] => {
      paths.push([`rollout.${path}${memberPath(key)}`, `${control}[${place}].weight`]);
      return weight === undefined ? [] : [[key, weight]];
    });
    return Object.fromEntries(given);
  }

  const needed = dependencies.map(({ name = "", allowed }: Row, place: number) => {
    paths.push([`rollout.dependencies${memberPath(name)}`, at(`dependencies[${place}]`)]);
    return [name, allowed];
  });
  const included = inclusions.flatMap(({ key, user_ids, device_ids }: Row, place: number) => {
    paths.push([`rollout.inclusions${memberPath(key)}`, `inclusions[${place}]`]);
    return user_ids.length + device_ids.length === 0 ? [] : [[key, { user_ids, device_ids }]];
  });
  const targets = targeting.map(({ weights, any = [], percentage = "", ...target }: Row, place: number) => {
    const row = at(`targeting[${place}]`);
    const conditions = any.map(({ all = [] }: Row, one: number) => {
      paths.push([`rollout.targeting[${place}].conditions[${one}]`, `${row}.any[${one}]`]);
      return all.map(({ selector = "", ...rest }: Row, index: number) => {
        paths.push([`rollout.targeting[${place}].conditions[${one}][${index}]`, `${row}.any[${one}].all[${index}]`]);
        return { ...rest, selector: selectorOf(selector) };
      });
    });
    paths.push([`rollout.targeting[${place}]`, row]);
    return {
      ...target,
      percentage,
      weights: weightsOf(weights, `targeting[${place}].weights`, `${row}.weights`),
      ...(conditions.length > 0 ? { conditions } : {}),
    };
  });
  const shares = weightsOf(all_users.weights, "all_users.weights", "all_users.weights");
  const hasRest = all_users.percentage !== undefined || Object.keys(shares).length > 0;
  const rollout = {
    ...(bucketing_key ? { bucketing_key } : {}),
    ...(bucketing_salt ? { bucketing_salt } : {}),
    ...(sticky_bucketing ? { sticky_bucketing } : {}),
    ...(needed.length > 0 ? { dependencies: Object.fromEntries(needed) } : {}),
    ...(included.length > 0 ? { inclusions: Object.fromEntries(included) } : {}),
    ...(targets.length > 0 ? { targeting: targets } : {}),
    ...(hasRest ? { all_users: { percentage: all_users.percentage ?? "", weights: shares } } : {}),
  };
  const own: [string, string][] = [
    ["rollout.all_users", "all_users"],
    ["rollout.", ""],
  ];
  return {
    body: { rollout: Object.keys(rollout).length > 0 ? rollout : null },
    faults,
    places: [...paths, ...own, ...places],
  };
}
