/** Imports without a control plane: support for tests. */

import type { Resources } from "../../src/model/resources.ts";
import { type ImportOptions, type ImportPlan, planImport } from "../../src/model/transfer/import-plan.ts";
import { listOf } from "../../src/model/transfer/import-step.ts";

export const nothing: Resources = {
  feature_flags: [],
  variations: [],
  experiments: [],
  segments: [],
  groups: [],
  deployments: [],
  cohorts: [],
};

export const at = "2025-01-31T12:00:00.000Z";

export function plan(input: unknown, options: Partial<ImportOptions> = {}): ImportPlan {
  return planImport(input, { current: nothing, at, prune: false, activeLimit: 1, ...options });
}

/** What is there after an import, as the control plane would store it. @throws with every problem */
export function imported(input: unknown, options: Partial<ImportOptions> = {}): Resources {
  const { steps, problems } = plan(input, options);
  if (problems.length > 0) throw new Error(JSON.stringify(problems, null, 2));
  const after: Record<string, { id: string }[]> = Object.fromEntries(
    Object.entries(options.current ?? nothing).map(([list, items]) => [list, [...items]]),
  );
  for (const step of steps) {
    const items = after[listOf[step.type]] ?? [];
    const place = items.findIndex(({ id }) => id === step.before?.id);
    if (place >= 0 && (step.after === undefined || step.isMoved)) items.splice(place, 1);
    if (step.after === undefined) continue;
    if (place >= 0 && !step.isMoved) items[place] = step.after;
    else items.push(step.after);
  }
  return after as unknown as Resources;
}

/** Problems as `code path: message`. */
export function faults(input: unknown, options: Partial<ImportOptions> = {}): string[] {
  return plan(input, options).problems.map(({ code, path, message }) => `${code} ${path}: ${message}`);
}

/** Steps as `update variation control (name)`. */
export function changes(input: unknown, options: Partial<ImportOptions> = {}): string[] {
  return plan(input, options).steps.map(({ type, before, after, fields }) => {
    const action = before === undefined ? "create" : after === undefined ? "delete" : "update";
    const detail = fields.length > 0 ? ` (${fields.join(", ")})` : "";
    return `${action} ${type} ${(after ?? before)?.name}${detail}`;
  });
}
