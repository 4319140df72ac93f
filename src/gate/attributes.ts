/** What targeting and the statistics know of a visitor, from the request alone. */

import Bowser from "bowser";
import type { Address } from "./address.ts";
import { createMemo } from "./memo.ts";

export interface UserAgentTraits {
  device_type: string;
  browser: string;
  platform: string;
}

const longestUserAgent = 512;
const traitsMemo = createMemo<UserAgentTraits>(256);
const slug = (name: string | undefined) => name?.toLowerCase().replaceAll(" ", "_") ?? "unknown";
const browserNames: Readonly<Record<string, string>> = {
  microsoft_edge: "edge",
  samsung_internet_for_android: "samsung_internet",
};

/** `device_type` (mobile, tablet, desktop, tv, unknown), `browser` (chrome, safari …), `platform` (windows, ios …). */
export function readUserAgent(userAgent: string): UserAgentTraits {
  const text = userAgent.slice(0, longestUserAgent);
  const known = traitsMemo.get(text);
  if (known) return known;
  let traits: UserAgentTraits = { device_type: "unknown", browser: "unknown", platform: "unknown" };
  if (text !== "") {
    const { browser, os, platform } = Bowser.parse(text);
    const name = slug(browser.name);
    traits = {
      device_type: slug(platform.type),
      browser: browserNames[name] ?? name,
      platform: slug(os.name),
    };
  }
  traitsMemo.set(text, traits);
  return traits;
}

/** Absent where unknown, so that a rule on it does not match. */
export function readAttributes(request: Request, url: Address): Record<string, unknown> {
  const userAgent = request.headers.get("user-agent") ?? "";
  const { country, region, city, colo } = (request.cf ?? {}) as Partial<IncomingRequestCfProperties>;
  const query = (name: string) => url.searchParams.get(name)?.slice(0, 1024) ?? undefined;
  const attributes: Record<string, unknown> = {
    ...readUserAgent(userAgent),
    user_agent: userAgent.slice(0, 1024) || undefined,
    country,
    region,
    city,
    colo,
    domain: url.hostname,
    client_id: query("client_id"),
    connection: query("connection"),
    organization_id: query("organization"),
  };
  for (const [name, value] of Object.entries(attributes)) if (value === undefined) delete attributes[name];
  return attributes;
}
