/** QA's wish in the query of a fetch address, by the tenant's policy as at the gate. */
import type { Address } from "../../assignment/address.ts";
import type { Override } from "../../assignment/decide.ts";
import type { Keyring } from "../../assignment/keyring.ts";
import { mentionsOverride, readOverride } from "../../assignment/override.ts";
import type { Served } from "../../assignment/serve.ts";
import { messageOf } from "../../assignment/sources.ts";
import { overrideWarning, type Warning } from "../../assignment/warning.ts";
import type { WarningCode } from "../../model/log-entry.ts";
import type { Tenant } from "../../model/tenant.ts";

/** `warnings` says why there is none, though one was asked for. */
export interface Wish {
  override: Override | null;
  warnings: readonly WarningCode[];
}

/** What became of a wish, and what nobody could answer, as the tenant's log tells it. */
export function warningsOf({ warnings }: Wish, served: Pick<Served, "warnings" | "withheld">): Warning[] {
  const wanting = [...served.withheld].flatMap(([key, reason]) => (reason === "cohort_unavailable" ? key : []));
  const description = `not given, for want of their cohorts: ${wanting.join(", ")}`.slice(0, 500);
  return [
    ...[...warnings, ...served.warnings].map(overrideWarning),
    ...(wanting.length === 0 ? [] : [{ code: "experiment_cohort_unavailable" as const, description }]),
  ];
}

const none: Wish = { override: null, warnings: [] };
const refused: Wish = { override: null, warnings: ["experiment_override_refused"] };

/** Parameters of a query that are an override's. */
export const overrideParameters: ReadonlySet<string> = new Set([
  "experiment_id",
  "variation_id",
  "segment_id",
  "override_token",
]);

/** Never rejects: a token that nobody can verify now is as good as none. */
export async function overrideIn(
  keyring: Keyring,
  tenant: Pick<Tenant, "id" | "overrides">,
  url: Address,
  nowMs: number,
): Promise<Wish> {
  if (!mentionsOverride(url)) return none;
  try {
    const override = await readOverride(keyring, tenant, url, nowMs);
    return override === "refused" ? refused : { override, warnings: [] };
  } catch (error) {
    console.error(JSON.stringify({ message: "an override cannot be verified", reason: messageOf(error) }));
    return refused;
  }
}
