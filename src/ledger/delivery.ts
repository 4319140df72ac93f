/** Brings events to the shards that count them, each shard once a batch. */
import { within } from "../alarms/deadline.ts";
import type { VestibuleEvent } from "../model/event.ts";
import { readLedgerLimits } from "./limits.ts";
import { type Delivery, type Told, unitOf } from "./recorder.ts";
import { giveUpMs, type LedgerBindings, rootOf, shardAt } from "./shards.ts";
import { shardOf } from "./unit-hash.ts";

/** Whether each event is counted; one that is not may be brought again. Never rejects. */
export type Deliver = (tenant: string, events: readonly VestibuleEvent[]) => Promise<boolean[]>;

/** A layout never changes; this many are remembered. */
const mostRemembered = 10_000;

export function createDelivery(bindings: LedgerBindings): Deliver {
  const layouts = new Map<string, number>();
  const { shards: current } = readLedgerLimits(bindings).limits;
  const keyOf = (tenant: string, experiment: string) => `${tenant}/${experiment}`;

  async function learnLayouts(tenant: string, experiments: readonly string[]): Promise<void> {
    const unknown = experiments.filter((id) => !layouts.has(keyOf(tenant, id)));
    if (unknown.length === 0) return;
    const fixed = await within(giveUpMs, rootOf(bindings, tenant).fixLayout(unknown, current));
    if (layouts.size > mostRemembered) layouts.clear();
    for (const [id, shards] of Object.entries(fixed)) layouts.set(keyOf(tenant, id), shards);
  }

  return async (tenant, events) => {
    const counted = events.filter(({ experiment_id }) => experiment_id !== undefined);
    const experiments = [...new Set(counted.flatMap(({ experiment_id }) => experiment_id ?? []))];
    const lost = new Set<VestibuleEvent>();
    try {
      await learnLayouts(tenant, experiments);
    } catch (error) {
      tellFailure(tenant, 0, error);
      // What is known already can be counted all the same.
      for (const event of counted) if (!layouts.has(keyOf(tenant, event.experiment_id ?? ""))) lost.add(event);
    }
    const letters = counted
      .filter((event) => !lost.has(event))
      .flatMap(toldBy)
      .map((told) => {
        const experiment = told.event.experiment_id ?? "";
        const shards = layouts.get(keyOf(tenant, experiment)) ?? 1;
        return { ...told, experiment, shards, shard: shardOf(unitOf(told), shards) };
      });
    const bags = [...Map.groupBy(letters, ({ shard }) => shard)];
    await Promise.all(
      bags.map(async ([shard, bag]) => {
        try {
          const refused = new Set(await within(giveUpMs, shardAt(bindings, tenant, shard).record(deliveriesOf(bag))));
          for (const { event } of bag) if (refused.has(event.id)) lost.add(event);
        } catch (error) {
          tellFailure(tenant, shard, error);
          for (const { event } of bag) lost.add(event);
        }
      }),
    );
    return events.map((event) => !lost.has(event));
  };
}

/** An identity has a part for the device, and one for its user, which another shard may count. */
function toldBy(event: VestibuleEvent): Told[] {
  const subject: Told = { event, role: "subject" };
  return event.linked_unit === undefined ? [subject] : [subject, { event, role: "user" }];
}

function deliveriesOf(bag: readonly (Told & { experiment: string; shards: number })[]): Delivery[] {
  return [...Map.groupBy(bag, ({ experiment }) => experiment)].map(([experiment, letters]) => ({
    experiment,
    shards: letters[0]?.shards ?? 1,
    told: letters.map(({ event, role }) => ({ event, role })),
  }));
}

function tellFailure(tenant: string, shard: number, error: unknown): void {
  console.error(JSON.stringify({ message: "ledger: a shard cannot be reached", tenant, shard, reason: String(error) }));
}
