/** Whether a request is the experiment's business at all: told from the request alone, before anything is read. */

import { isbot } from "isbot";
import type { Address } from "../assignment/address.ts";
import { createMemo } from "../assignment/memo.ts";
import { mentionsOverride } from "../assignment/override.ts";
import type { Tenant } from "../model/tenant.ts";
import { type Classified, classify } from "./classify.ts";
import { type CookieBase, type CookieScope, cookieName, cookieValues, setCookie } from "./cookies.ts";
import type { Head } from "./head.ts";
import type { Rules } from "./rules.ts";

export interface Screened {
  request: Request;
  url: Address;
  tenant: Tenant;
  rules: Rules;
  classified: Classified;
  scope: CookieScope;
  /** The Cookie header. */
  cookies: string | null;
  hadSession: boolean;
  /** A bot is never assigned; it may be forced, as tests in a headless browser are. */
  isBot: boolean;
  /** Whether anything is to be read or assigned. */
  takesPart: boolean;
  /** Cookies of ours to end: the visitor has withdrawn consent. */
  ended: readonly string[];
}

const botMemo = createMemo<boolean>(256);

function isBot(userAgent: string | null): boolean {
  const text = userAgent?.slice(0, 512) ?? "";
  const known = botMemo.get(text);
  if (known !== undefined) return known;
  const bot = isbot(text);
  botMemo.set(text, bot);
  return bot;
}

export function screen(request: Request, url: Address, head: Head, tenant: Tenant, rules: Rules): Screened {
  const classified = classify(request, url, head, rules);
  const scope = { secure: url.protocol === "https:" };
  const cookies = request.headers.get("cookie");
  const bears = (base: CookieBase) => cookieValues(cookies, cookieName(base, scope)).length > 0;
  const hadSession = bears("vst_ses");
  const screened = {
    request,
    url,
    tenant,
    rules,
    classified,
    scope,
    cookies,
    hadSession,
    isBot: false,
    takesPart: false,
    ended: [],
  };
  if (classified.kind === "pass" || !tenant.entitled) return screened;
  if (!rules.hasConsent(cookies)) {
    const ours = (["vst_did", "vst_ses", "vst_sticky"] as const).filter(bears);
    return { ...screened, ended: ours.map((base) => setCookie(cookieName(base, scope), "", 0, scope)) };
  }
  if (classified.kind !== "document" && !hadSession) return screened;
  if (!isBot(request.headers.get("user-agent"))) return { ...screened, takesPart: true };
  return { ...screened, isBot: true, takesPart: hadSession || mentionsOverride(url) };
}
