/** The Worker of what has happened: takes events off the queue, counts them, and keeps the log. */
import { createDelivery, type Deliver } from "../ledger/delivery.ts";
import type { LedgerBindings } from "../ledger/shards.ts";
import { type LogBindings, recordEntries } from "../logs/record.ts";
import { consume } from "../queue/consume.ts";
import { nowhere } from "./nowhere.ts";

export type RecordsEnv = LedgerBindings & LogBindings;

/** Bindings stay the same object for as long as an isolate lives. */
const deliveries = new WeakMap<RecordsEnv, Deliver>();

function deliveryOf(env: RecordsEnv): Deliver {
  const deliver = deliveries.get(env) ?? createDelivery(env);
  deliveries.set(env, deliver);
  return deliver;
}

export { Ledger } from "../ledger/ledger.ts";
export { Logbook } from "../logs/logbook.ts";

export default {
  ...nowhere,
  async queue(batch, env) {
    const deliver = deliveryOf(env);
    await consume(batch, { deliver, record: (tenant, entries) => recordEntries(env, tenant, entries) });
  },
} satisfies ExportedHandler<RecordsEnv>;
