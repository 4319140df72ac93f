/** Who sends a request: what its cookies and its query say, verified. */
import { isbot } from "isbot";
import type { Address } from "../assignment/address.ts";
import { type CookieBase, type CookieScope, cookieName, cookieValues } from "../assignment/cookies.ts";
import type { Override } from "../assignment/decide.ts";
import { readForeignDeviceId } from "../assignment/device-cookie.ts";
import type { Keyring } from "../assignment/keyring.ts";
import { createMemo } from "../assignment/memo.ts";
import { readOverride } from "../assignment/override.ts";
import { isSessionOf, readSession, type Session } from "../assignment/session.ts";
import type { Tenant } from "../model/tenant.ts";
import type { Classified } from "./classify.ts";
import { type Device, readDevice } from "./device.ts";
import type { HeaderScan } from "./header-scan.ts";
import type { Rules } from "./rules.ts";

/** What a request says by itself, before anything is read. */
export interface Visit {
  request: Request;
  url: Address;
  tenant: Tenant;
  rules: Rules;
  scan: HeaderScan;
  classified: Classified;
  scope: CookieScope;
  /** The Cookie header. */
  cookies: string | null;
  nowMs: number;
}

export interface Visitor {
  device: Device | null;
  session: Session | "unassigned" | null;
  override: Override | "refused" | null;
}

export const anonymous: Visitor = { device: null, session: null, override: null };

const maxUserAgentLength = 512;
const botMemo = createMemo<boolean>(256);

/** A bot is never assigned; it may be forced, as tests in a headless browser are. */
export function isBot({ request }: Visit): boolean {
  const text = request.headers.get("user-agent")?.slice(0, maxUserAgentLength) ?? "";
  const known = botMemo.get(text);
  if (known !== undefined) return known;
  const bot = isbot(text);
  botMemo.set(text, bot);
  return bot;
}

/** Whether its page, if it is answered with one, is a page of a login that nobody can be assigned on. */
export function cannotBeAssigned({ classified, request }: Visit): boolean {
  const { flow, kind, isNavigation, isFrame, isPrerender } = classified;
  const isForm = kind === "carry" && request.method === "POST";
  return flow !== null && isNavigation && !isFrame && (isPrerender || isForm);
}

export const valuesOf = ({ cookies, scope }: Visit, base: CookieBase): string[] =>
  cookieValues(cookies, cookieName(base, scope));

/** @throws (by rejecting) when the platform's cryptography fails */
export async function readVisitor(visit: Visit, keyring: Keyring): Promise<Visitor> {
  const { tenant, url, classified, nowMs, cookies } = visit;
  const isDocument = classified.kind === "document";
  const foreign = readForeignDeviceId(tenant, cookies);
  const readOwn = () => readDevice(keyring, tenant.id, valuesOf(visit, "vst_did"), nowMs);
  let device = foreign === null ? await readOwn() : { id: foreign, cookie: null };
  const session = await readSession(keyring, tenant.id, valuesOf(visit, "vst_ses"), nowMs);
  const isOf = (owner: Device | null) =>
    session === null || session === "unassigned" || isSessionOf(session, owner?.id ?? null);
  if (foreign !== null && !isOf(device)) {
    // The tenant's cookie was set in the middle of the login, perhaps by the page's script. It counts from the next login on.
    const own = await readOwn();
    if (isOf(own)) device = own;
  }
  return {
    device,
    session: isOf(device) ? session : null,
    override: isDocument ? await readOverride(keyring, tenant, url, nowMs) : null,
  };
}
