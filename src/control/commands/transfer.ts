/** A tenant's configuration as one document, out and in. */

import { Problem } from "../../model/problem.ts";
import type { Scope } from "../../model/token.ts";
import { planAmplitudeImport } from "../../model/transfer/amplitude-import.ts";
import { exportConfiguration } from "../../model/transfer/export-configuration.ts";
import { planImport } from "../../model/transfer/import-plan.ts";
import type { ImportProblem } from "../../model/transfer/import-problem.ts";
import type { ImportStep } from "../../model/transfer/import-step.ts";
import type { CommandContext, Input } from "../command.ts";
import type { Draft } from "../tables.ts";
import { originOf } from "./cohorts.ts";
import { withNewKey } from "./deployments.ts";

export interface ImportQuery {
  /** Tells what would change and changes nothing. */
  dry_run?: boolean;
  /** Deletes what the document does not name. */
  prune?: boolean;
  /** Of what is sent, where it is not an export: Amplitude's list of flags. */
  format?: "amplitude";
}

export const transferCommands = {
  export_configuration({ draft }: CommandContext) {
    return exportConfiguration(draft.resources());
  },

  import_configuration(context: CommandContext, { query, body }: Input<never, ImportQuery>) {
    const { draft, tenant, actor, at } = context;
    const { dry_run = false, prune = false, format } = query;
    const needed: Scope[] = [
      "create:experimentation",
      "update:experimentation",
      ...(prune ? (["delete:experimentation"] as const) : []),
    ];
    const missing = needed.filter((scope) => !actor.scopes.includes(scope));
    if (missing.length > 0) {
      throw new Problem("insufficient_scope", `${needed.join(", ")}.`, "Insufficient scope; expected all of:");
    }

    const { activeLimit, verifiesUsers, refusedAddresses } = tenant;
    const options = { current: draft.resources(), at, prune, activeLimit, verifiesUsers, refusedAddresses };
    const { steps, problems, warnings } =
      format === "amplitude" ? planAmplitudeImport(body, options) : { ...planImport(body, options), warnings: [] };
    if (!dry_run && problems.length > 0) throw new Problem("invalid_import", problems.map(inWords).join("; "));
    const made = dry_run ? [] : steps.flatMap((step) => take(step, draft));
    return { dry_run, changes: steps.map(changeOf), problems, warnings, deployments: made };
  },
};

/** @returns a deployment that is new, with its key, which is shown this once */
function take({ type, before, after, isMoved }: ImportStep, draft: Draft): object[] {
  if (before !== undefined && (after === undefined || isMoved)) draft.remove(type, before.id);
  // No file has credentials: they stay with the origin that they were given for.
  if (type === "cohort" && originOf(after) !== originOf(before)) draft.remove("secret", (after ?? before)?.id ?? "");
  if (after === undefined) return [];
  if (type === "deployment" && before === undefined) return [withNewKey(draft, after)];
  // Another object than what is stored: the place of what was moved has changed, if nothing else.
  draft.put(type, { ...after });
  return [];
}

function changeOf({ type, before, after, fields }: ImportStep) {
  const { id, name } = after ?? (before as NonNullable<typeof before>);
  const action = before === undefined ? "create" : after === undefined ? "delete" : "update";
  return { action, resource_type: type, id, name, fields };
}

function inWords({ path, message }: ImportProblem): string {
  return path === "" ? message : `${path}: ${message}`;
}
