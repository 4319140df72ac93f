/** Lines of the tenant's log that a request brings about, whoever answers it; above all what went wrong, and why. */
import { createLimiter } from "../logs/limiter.ts";
import type { LogEntry, WarningCode } from "../model/log-entry.ts";
import type { Tenant } from "../model/tenant.ts";
import type { Address } from "./address.ts";
import type { Sources } from "./sources.ts";

/** A request, and whose log it is told in. */
export interface Scene {
  request: Request;
  url: Address;
  tenant: string;
  atMs: number;
}

export interface Warning {
  code: WarningCode;
  description: string;
}

const texts: Readonly<Partial<Record<WarningCode, string>>> = {
  experiment_not_found: "experiment_id names no experiment",
  experiment_orphaned_params: "variation_id or segment_id came without experiment_id",
  experiment_variation_missing: "experiment_id came without variation_id and segment_id",
  experiment_variation_not_found: "variation_id names no variation of the experiment",
  experiment_segment_not_found: "segment_id names no segment of the experiment",
  experiment_override_refused: "the override needs a genuine, unexpired override_token",
};

/** Why an override did nothing, in words. */
export function overrideWarning(code: WarningCode): Warning {
  return { code, description: texts[code] ?? code };
}

/** What has failed lately of what a tenant's requests need. */
export function circuitWarnings(
  { openedCircuits }: Pick<Sources, "openedCircuits">,
  { id, user }: Pick<Tenant, "id" | "user">,
): Warning[] {
  const opened = openedCircuits(id, user ? [user.jwks_uri] : []);
  return opened.map((name) => ({ code: "experiment_circuit_open", description: `the circuit of ${name} opened` }));
}

export type Told = Pick<LogEntry, "type" | "description" | "details"> & {
  userId?: string | null;
  /** As the login's first request named them, where this one does not. */
  clientId?: string | null;
  connection?: string | null;
};

export function entryOf(
  { request, url, tenant, atMs }: Scene,
  { type, description, details, userId = null, clientId = null, connection = null }: Told,
): LogEntry {
  const read = (value: string | null) => value?.slice(0, 512) || undefined;
  const optional = {
    client_id: read(url.searchParams.get("client_id") ?? clientId),
    connection: read(url.searchParams.get("connection") ?? connection),
    ip: read(request.headers.get("cf-connecting-ip")),
    user_agent: read(request.headers.get("user-agent")),
    user_id: read(userId),
  };
  const known = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  const log_id = crypto.randomUUID();
  const date = new Date(atMs).toISOString();
  return { log_id, date, type, description, tenant_name: tenant, hostname: url.host, ...known, details };
}

/** Those that a flood leaves room for; on the console as well, since they must be seen although the queue be down. */
export type WriteWarnings = (scene: Scene, warnings: readonly Warning[]) => LogEntry[];

export function createWriteWarnings(now: () => number): WriteWarnings {
  const limiter = createLimiter(now);
  return (scene, warnings) => {
    const admitted = warnings.filter(({ code }) => limiter.admit(`${scene.tenant} ${code}`));
    const entries = admitted.map(({ code, description }) =>
      entryOf(scene, { type: "w", description, details: { code } }),
    );
    for (const entry of entries) console.warn(JSON.stringify(entry));
    return entries;
  };
}
