/** Where the tenant's other objects are found. */
import type { Cohorts } from "../cohorts/cohorts.ts";
import { countsOf, keepVerdict, verdictsOf } from "../ledger/reader.ts";
import type { LedgerBindings } from "../ledger/shards.ts";
import { type LogBindings, logbookOf } from "../logs/record.ts";
import type { Sources } from "./gather.ts";

export interface SourceBindings extends LedgerBindings, LogBindings {
  COHORTS: DurableObjectNamespace;
}

export function sourcesOf(bindings: SourceBindings, tenant: string, experimentId: string): Sources {
  const cohorts = () => bindings.COHORTS.get(bindings.COHORTS.idFromName(tenant)) as unknown as Pick<Cohorts, "status">;
  return {
    counts: (window) => countsOf(bindings, tenant, experimentId, window),
    keepVerdict: (look) => keepVerdict(bindings, tenant, experimentId, look),
    verdicts: () => verdictsOf(bindings, tenant),
    entries: (query) => logbookOf(bindings, tenant).countEntries(query),
    cohorts: () => cohorts().status(),
  };
}
