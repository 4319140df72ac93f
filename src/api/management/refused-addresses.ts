/** The control plane knows nothing of hosts: of the addresses that a body names, it is told which may not be asked. */
import { findAddressFault } from "../../model/allowed-hosts.ts";
import type { Settings } from "../../settings.ts";

interface NamesAddresses {
  /** Of a cohort. */
  source?: { url?: unknown };
  cohorts?: unknown;
  /** Of a log stream. */
  sink?: { http_endpoint?: unknown };
}

export function refusedAddresses(
  body: unknown,
  { cohortHosts, logStreamHosts }: Pick<Settings, "cohortHosts" | "logStreamHosts">,
): Record<string, string> {
  const given = (body ?? {}) as NamesAddresses;
  const all: (NamesAddresses | null)[] = [given, ...(Array.isArray(given.cohorts) ? given.cohorts : [])];
  const sources = all.map((cohort) => faultOf(cohort?.source?.url, cohortHosts, "COHORT_HOSTS"));
  const endpoint = faultOf(given.sink?.http_endpoint, logStreamHosts, "LOG_STREAM_HOSTS");
  return Object.fromEntries([...sources, endpoint].flat());
}

function faultOf(url: unknown, allowed: readonly string[], setting: string): [string, string][] {
  const fault = typeof url === "string" ? findAddressFault(url, allowed, setting) : null;
  return fault === null ? [] : [[url as string, fault]];
}
