/** Which device a request comes from, by its cookies. */
import type { Tenant } from "../model/tenant.ts";
import { longestId } from "../model/user.ts";
import { type CookieScope, cookieName, cookieValues } from "./cookies.ts";
import type { Keyring } from "./keyring.ts";

const payloadPattern = /^([A-Za-z0-9_-]{22})([0-9a-z]{3,5})$/;

export interface VerifiedDevice {
  id: string;
  /** When the cookie was signed, in days since 1970. */
  day: number;
  /** Signed with a key that no longer signs. */
  outdated: boolean;
}

/** The first genuine one among values of the device cookie; null where there is none. */
export async function verifyDevice(
  keyring: Keyring,
  tenant: string,
  values: readonly string[],
): Promise<VerifiedDevice | null> {
  for (const value of values) {
    const verified = await keyring.verify("did", tenant, value);
    const [, id, day] = payloadPattern.exec(verified?.payload ?? "") ?? [];
    if (verified && id !== undefined && day !== undefined) {
      return { id, day: Number.parseInt(day, 36), outdated: verified.outdated };
    }
  }
  return null;
}

/** The device id in the tenant's own cookie; null where it has none, or the visitor's holds no id. */
export function readForeignDeviceId(
  { device_cookie }: Pick<Tenant, "device_cookie">,
  cookies: string | null,
): string | null {
  const [id] = device_cookie ? cookieValues(cookies, device_cookie) : [];
  return id && id.length <= longestId ? id : null;
}

/** The id that the gate buckets this browser by: from the tenant's own cookie where it has one, else from the gate's. */
export async function readDeviceId(
  keyring: Keyring,
  tenant: Pick<Tenant, "id" | "device_cookie">,
  cookies: string | null,
  scope: CookieScope,
): Promise<string | null> {
  const foreign = readForeignDeviceId(tenant, cookies);
  if (foreign !== null) return foreign;
  const device = await verifyDevice(keyring, tenant.id, cookieValues(cookies, cookieName("vst_did", scope)));
  return device?.id ?? null;
}
