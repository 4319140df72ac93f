/** Warnings of the gate, for the log. */
import { cookieName, cookieValues } from "../assignment/cookies.ts";
import type { Decision } from "../assignment/decide.ts";
import { mentionsOverride } from "../assignment/override.ts";
import type { Session } from "../assignment/session.ts";
import type { Warning } from "../assignment/warning.ts";
import type { Stamp } from "./stamp.ts";
import type { User } from "./user.ts";
import { type Visit, type Visitor, valuesOf } from "./visitor.ts";

export const overrideNotApplied = (reason: string): Warning => ({
  code: "experiment_override_not_applied",
  description: reason,
});

/** Why an override did nothing, where the reason is the request and not the override. */
export function overrideWarnings(
  { url, tenant, classified }: Visit,
  { override }: Visitor,
  session: Session | null,
  { participates, hasConsent }: { participates: boolean; hasConsent: boolean },
): Warning[] {
  if (!mentionsOverride(url) || override !== null) return [];
  if (classified.kind !== "document" && !classified.ignoresOverride) return [];
  const id = url.searchParams.get("experiment_id");
  // A page's form posts to the page's own address, query included: also to the one that ended a forced variation.
  if (id === "" && session?.isForced !== true) return [];
  if (session?.pins.some(({ experimentId, method }) => method === "forced" && experimentId === id)) return [];
  if (tenant.overrides === "off") return [overrideNotApplied("the tenant's policy for overrides is off")];
  if (!hasConsent) return [overrideNotApplied("the visitor has not given the consent that the tenant asks for")];
  if (participates && classified.kind === "document") return [];
  return [
    overrideNotApplied(
      `a ${classified.isFrame ? "frame" : "request"} that shows no page of a login by itself cannot be forced`,
    ),
  ];
}

/** Why it is unknown which cohorts the subject is in. */
export interface Failures {
  user: User;
  cohorts: string;
}

export function withheldWarning(withheld: Decision["withheld"], { user, cohorts: failure }: Failures): Warning[] {
  if (withheld.length === 0) return [];
  const reasons = withheld.map(({ id, cohorts }) => {
    const missing = cohorts?.missing ?? [];
    if (missing.length > 0) return `${id}: ${missing.join(", ")} not ready yet`;
    const isUser = user.failure !== undefined && cohorts?.ofUsers;
    return `${id}: ${isUser ? `the user cannot be verified: ${user.failure}` : failure}`;
  });
  const description = `not assigned in this session, because its cohorts cannot be read: ${reasons.join("; ")}`;
  return [{ code: "experiment_cohort_unavailable", description: description.slice(0, 500) }];
}

export function stampWarning(stamp: Stamp | null): Warning[] {
  if (stamp === null || (stamp.leftOut.length === 0 && stamp.withoutConfig.length === 0)) return [];
  const parts = [
    stamp.leftOut.length > 0 ? `left out: ${stamp.leftOut.join(", ")}` : "",
    stamp.withoutConfig.length > 0 ? `without their config: ${stamp.withoutConfig.join(", ")}` : "",
  ];
  const description = `the stamp would exceed 4 KiB; ${parts.filter(Boolean).join("; ")}`;
  return [{ code: "experiment_stamp_too_large", description: description.slice(0, 500) }];
}

/**
 * The origin's response may delete our cookies: then the next visit is a new device, and nothing else says why. It mostly does
 * so at logout, which is no page of a login, so that the request's own cookie is looked for and not what was read of it.
 */
export function clearedWarning(visit: Visit, deviceId: string | null, { headers }: Response): Warning[] {
  const { scope, cookies, tenant } = visit;
  const foreign = tenant.device_cookie;
  const device = foreign ?? cookieName("vst_did", scope);
  const cleared = headers.get("clear-site-data");
  const isDeleted = headers.get("set-cookie")?.includes(`${device}=`) === true;
  if (!isDeleted && (cleared === null || !/"(?:cookies|\*)"/.test(cleared))) return [];
  const hadDevice = valuesOf(visit, "vst_did").length > 0 || (!!foreign && cookieValues(cookies, foreign).length > 0);
  if (deviceId === null && !hadDevice) return [];
  const by = isDeleted ? `a Set-Cookie of ${device}` : `Clear-Site-Data: ${cleared?.slice(0, 100)}`;
  return [{ code: "device_cookie_cleared", description: `the origin deletes the device cookie, by ${by}` }];
}
