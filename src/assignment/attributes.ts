/** What targeting and the statistics know of a visitor, from the request alone. */
import type { Address } from "./address.ts";
import { readUserAgent } from "./user-agent.ts";

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
