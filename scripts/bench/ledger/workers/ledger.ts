/** The ledger, driven from beside it, what it does to storage counted; and the least that could be done instead. */
import { DurableObject } from "cloudflare:workers";
import { createDelivery, type Deliver } from "../../../../src/ledger/delivery.ts";
import { type LedgerEnv, Ledger as Shard } from "../../../../src/ledger/ledger.ts";
import { countsOf } from "../../../../src/ledger/reader.ts";
import { Logbook as Log, type LogbookEnv } from "../../../../src/logs/logbook.ts";
import type { VestibuleEvent } from "../../../../src/model/event.ts";
import { visitOf } from "../events.ts";
import { createCounter } from "./operations.ts";
import { makeVisits, type VisitEnv } from "./visits.ts";

export { Cohorts } from "../../../../src/cohorts/cohorts.ts";
export { Control } from "../../../../src/control/control.ts";

/** Of all objects of this isolate, which is one. */
const counter = createCounter();

export class Ledger extends Shard {
  constructor(ctx: DurableObjectState, env: LedgerEnv) {
    counter.watch(ctx, "ledger");
    super(ctx, env);
  }
}

export class Logbook extends Log {
  constructor(ctx: DurableObjectState, env: LogbookEnv) {
    counter.watch(ctx, "log");
    super(ctx, env);
  }
}

/** Appends each event as a row, and knows nothing of it. */
export class Bare extends DurableObject {
  constructor(ctx: DurableObjectState, env: object) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
  }

  async append(events: readonly VestibuleEvent[]): Promise<void> {
    this.ctx.storage.transactionSync(() => {
      for (const event of events) {
        this.ctx.storage.sql.exec("INSERT INTO event (id, body) VALUES (?, ?)", event.id, JSON.stringify(event));
      }
    });
  }
}

interface Env extends VisitEnv {
  BARE: DurableObjectNamespace<Bare>;
}

const deliveries = new Map<string, Deliver>();

function ledgerOf(env: Env, shards: string) {
  return { LEDGER: env.LEDGER, LEDGER_SHARDS: shards };
}

function eventsOf(experiment: string, count: number): VestibuleEvent[] {
  const events: VestibuleEvent[] = [];
  while (events.length < count) events.push(...visitOf(experiment, events.length, Date.now()));
  return events.slice(0, count);
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const experiment = searchParams.get("experiment") ?? "exp_bench";
    const shards = searchParams.get("shards") ?? "1";
    const count = Number(searchParams.get("count") ?? 100);
    if (pathname === "/record") {
      const deliver = deliveries.get(shards) ?? createDelivery(ledgerOf(env, shards));
      deliveries.set(shards, deliver);
      const counted = await deliver("bench", eventsOf(experiment, count));
      if (counted.includes(false)) return new Response("an event was not counted", { status: 500 });
      return new Response("ok");
    }
    if (pathname === "/append") {
      await env.BARE.get(env.BARE.idFromName("one")).append(eventsOf(experiment, count));
      return new Response("ok");
    }
    if (pathname === "/counts") {
      const from = searchParams.get("from");
      const read = await countsOf(ledgerOf(env, shards), "bench", experiment, from === null ? {} : { from });
      return Response.json(read);
    }
    if (pathname === "/visits") {
      const batch = Number(searchParams.get("batch") ?? 100);
      counter.take();
      const { messages, calls } = await makeVisits(env, count, batch);
      return Response.json({ visits: count, messages, calls, storage: counter.take() });
    }
    return new Response("nothing here", { status: 404 });
  },
};
