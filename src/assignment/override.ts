/** QA's wish in the query string: `experiment_id` with `variation_id` or `segment_id`, as the tenant's policy allows. */

import { base64url } from "jose";
import type { Tenant } from "../model/tenant.ts";
import type { Address } from "./address.ts";
import type { Override } from "./decide.ts";
import type { Keyring } from "./keyring.ts";
import { after, type Pending } from "./pending.ts";

const mentions = /[?&](?:experiment_id|variation_id|segment_id)=/;
const longest = 128;

export function mentionsOverride({ search }: Address): boolean {
  return mentions.test(search);
}

/** The override that the query asks for; `refused` where the policy wants a token and there is no genuine one. */
export function readOverride(
  keyring: Keyring,
  tenant: Pick<Tenant, "id" | "overrides">,
  url: Address,
  nowMs: number,
): Pending<Override | "refused" | null> {
  if (tenant.overrides === "off" || !mentionsOverride(url)) return null;
  const read = (name: string) => url.searchParams.get(name)?.slice(0, longest) ?? null;
  const override: Override = {
    experimentId: read("experiment_id"),
    variationId: read("variation_id"),
    segmentId: read("segment_id"),
  };
  // To leave a forced variation takes no permission.
  if (tenant.overrides === "open" || override.experimentId === "") return override;
  const token = url.searchParams.get("override_token");
  if (!token) return "refused";
  return after(keyring.verify("override", tenant.id, token), (verified) => {
    if (!verified) return "refused";
    const [experimentId, variationId, segmentId, expiresAtSeconds] = JSON.parse(
      new TextDecoder().decode(base64url.decode(verified.payload)),
    );
    const fits =
      experimentId === override.experimentId &&
      variationId === override.variationId &&
      segmentId === override.segmentId &&
      nowMs / 1000 < expiresAtSeconds;
    return fits ? override : "refused";
  });
}

/** A token for `override_token`, good for this override alone, until then. */
export function signOverride(
  keyring: Keyring,
  tenant: string,
  { experimentId, variationId, segmentId }: Override,
  expiresAtSeconds: number,
): Promise<string> {
  const payload = base64url.encode(JSON.stringify([experimentId, variationId, segmentId, expiresAtSeconds]));
  return keyring.sign("override", tenant, payload);
}
