/** What speaks against an import, and where in the file. */

import { placeOf, type Resources, variationsOf } from "../resources.ts";
import type { ConfigurationProblem } from "./configuration-problem.ts";

export interface ImportProblem extends ConfigurationProblem {
  /** One of the codes of docs/problems.md. */
  code: string;
}

export type ReportImport = (code: string, path: string, message: string) => void;

/** Where the file says something about a variation; undefined when it does not. */
export function variationPath(id: string, flagId: string, named: Resources): string | undefined {
  const flag = placeOf(named.feature_flags, flagId);
  const place = placeOf(variationsOf({ id: flagId }, named), id);
  return flag < 0 || place < 0 ? undefined : `feature_flags[${flag}].variations[${place}]`;
}

/** Puts a problem of `result` where the file names what it is about; what the file does not name is called by its name. */
export function placeProblem(
  { code, path, message }: ImportProblem,
  result: Resources,
  named: Resources,
): ImportProblem {
  const [, list = "", index, under = ""] = /^(\w+)\[(\d+)\](.*)$/s.exec(path) ?? [];
  const owner = result[list as keyof Resources]?.[Number(index)];
  if (owner === undefined) return { code, path, message };
  const [, child, rest = ""] = /^\.variations\[(\d+)\](.*)$/s.exec(under) ?? [];
  const variation = child === undefined ? undefined : variationsOf(owner as never, result)[Number(child)];
  if (variation !== undefined) {
    const at = variationPath(variation.id, owner.id, named);
    if (at !== undefined) return { code, path: `${at}${rest}`, message };
  }
  const place = placeOf(named[list as keyof Resources] ?? [], owner.id);
  if (place >= 0 && variation === undefined) return { code, path: `${list}[${place}]${under}`, message };
  const what = [`${list.slice(0, -1).replace("_", " ")} "${owner.name}"`, variation && `variation "${variation.name}"`];
  return {
    code,
    path: place < 0 ? "" : `${list}[${place}]`,
    message: `${what.filter(Boolean).join(", ")}${variation === undefined ? under : rest}: ${message}`,
  };
}
