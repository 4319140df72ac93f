/** How the rest of the house reaches the shards of a tenant's ledger. */
import type { Ledger, LedgerEnv } from "./ledger.ts";

export interface LedgerBindings extends LedgerEnv {
  LEDGER: DurableObjectNamespace;
}

/** Of the object, what is called over RPC. */
export type LedgerShard = Pick<
  Ledger,
  "record" | "readCounts" | "forget" | "fixLayout" | "mostShards" | "keepVerdict" | "verdicts"
>;

/** How long a shard may take to answer. */
export const giveUpMs = 10_000;

export function shardAt({ LEDGER }: LedgerBindings, tenant: string, index: number): LedgerShard {
  return LEDGER.get(LEDGER.idFromName(`${tenant}/${index}`)) as unknown as LedgerShard;
}

/** It counts like the others, and keeps what there is one of a tenant. */
export function rootOf(bindings: LedgerBindings, tenant: string): LedgerShard {
  return shardAt(bindings, tenant, 0);
}
