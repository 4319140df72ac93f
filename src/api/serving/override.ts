/** QA's wish in the query of a fetch address, by the tenant's policy as at the gate. */
import type { Address } from "../../assignment/address.ts";
import type { Override } from "../../assignment/decide.ts";
import type { Keyring } from "../../assignment/keyring.ts";
import { mentionsOverride, readOverride } from "../../assignment/override.ts";
import { messageOf } from "../../assignment/sources.ts";
import type { Tenant } from "../../model/tenant.ts";

/** `warnings` says why there is none, though one was asked for. */
export interface Wish {
  override: Override | null;
  warnings: readonly "experiment_override_refused"[];
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
