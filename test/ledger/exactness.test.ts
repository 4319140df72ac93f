import fc from "fast-check";
import { expect, it } from "vitest";
import type { VestibuleEvent } from "../../src/model/event.ts";
import type { LedgerCounts } from "../../src/model/ledger-counts.ts";
import { type Truth, truthOf } from "./oracle.ts";
import { hourMs, startMs, withShard } from "./stage.ts";

const runs = 150;

const unit = fc.constantFrom("u1", "u2", "u3", "u4");
const user = fc.constantFrom("p1", "p2", "u3");
const anyEvent: fc.Arbitrary<VestibuleEvent> = fc
  .record(
    {
      id: fc.constant("e"),
      tenant: fc.constant("default"),
      type: fc.constantFrom("assignment", "exposure", "auth", "identity"),
      // Few moments, so that many things happen at one; and days apart, for what is told by the week.
      at: fc
        .tuple(fc.integer({ min: 0, max: 6 }), fc.constantFrom(0, 0, 0, 30, 300))
        .map(([tenths, hours]) => new Date(startMs + (hours + tenths / 10 - 400) * hourMs).toISOString()),
      experiment_id: fc.constant("exp"),
      variation_id: fc.constantFrom("var_a", "var_b", "var_c"),
      segment_id: fc.constantFrom("seg_a", "seg_b"),
      epoch: fc.constantFrom(1, 1, 1, 2, 3),
      unit,
      subject_kind: fc.constantFrom("device", "user"),
      linked_unit: user,
      method: fc.constantFrom("auto", "auto", "auto", "auto", "sticky", "inclusion"),
      hashed_variation_id: fc.constantFrom(null, "var_a"),
      missing: fc.subarray(["plan", "age"]),
      outcome: fc.constantFrom("s", "ss", "f", "fs", "p", "p"),
      source: fc.constantFrom("gate", "amplitude", "ingest"),
      deployment: fc.constantFrom("dep_a", "dep_b"),
      attributes: fc.record({ country: fc.constantFrom("CH", "DE"), bot: fc.boolean() }, { requiredKeys: [] }),
    },
    {
      requiredKeys: [
        "id",
        "tenant",
        "type",
        "at",
        "experiment_id",
        "variation_id",
        "epoch",
        "unit",
        "subject_kind",
        "source",
        "attributes",
        "method",
      ],
    },
  )
  .map((event) => {
    const { linked_unit = "p1", outcome = "s", segment_id, hashed_variation_id, missing, ...rest } = event;
    const ofAssignment = {
      ...(segment_id === undefined ? {} : { segment_id }),
      ...(hashed_variation_id === undefined ? {} : { hashed_variation_id }),
      ...(missing === undefined ? {} : { missing }),
    };
    return {
      ...rest,
      ...(event.type === "identity" ? { linked_unit } : {}),
      ...(event.type === "auth" ? { outcome } : {}),
      ...(event.type === "assignment" ? ofAssignment : {}),
    } as VestibuleEvent;
  });

/** A few units are forced, once: by an event of their own, or by one that bears the method. */
const anyEvents = fc
  .tuple(
    fc.array(anyEvent, { minLength: 1, maxLength: 40, size: "max" }),
    fc.option(fc.tuple(fc.nat(39), fc.boolean()), { freq: 3 }),
  )
  .map(([events, forced]) =>
    events.map((each, at): VestibuleEvent => {
      const event = { ...each, id: `e${at}` };
      if (forced === null || at !== forced[0]) return event;
      const { linked_unit: _, ...rest } = event;
      return forced[1] ? { ...rest, type: "forced", method: "forced" } : { ...event, method: "forced" };
    }),
  );

/** Each event one to five times, in any order, in batches of any size. */
const anyDelivery = anyEvents.chain((events) =>
  fc.record({
    events: fc.constant(events),
    order: fc
      .array(fc.integer({ min: 1, max: 5 }), { minLength: events.length, maxLength: events.length })
      .map((times) => events.flatMap((event, at) => Array.from({ length: times[at] ?? 1 }, () => event)))
      .chain((all) =>
        fc
          .shuffledSubarray(
            all.map((_, at) => at),
            { minLength: all.length },
          )
          .map((order) => order.map((at) => all[at] as VestibuleEvent)),
      ),
    sizes: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10, size: "max" }),
  }),
);

function batchesOf<T>(list: readonly T[], sizes: readonly number[]): T[][] {
  const batches: T[][] = [];
  for (let from = 0; from < list.length; ) {
    const size = sizes[batches.length % sizes.length] ?? 1;
    batches.push(list.slice(from, from + size));
    from += size;
  }
  return batches;
}

/** Of counts, what the oracle works out. */
function partOf({ forced, cells, unassigned, hours, links, last_event_at }: LedgerCounts): Truth {
  const counted = (counts: object, without: string[]) =>
    Object.fromEntries(
      Object.entries(counts).filter(([name, count]) => !without.includes(name) && Number.isInteger(count) && count > 0),
    );
  const apart = ["epoch", "before", "settled", "settled_exposed", "silent", "at_once"];
  return {
    forced,
    cells: Object.fromEntries(
      cells.map((cell) => [`${cell.epoch} ${cell.variation_id} ${cell.method}`, counted(cell, apart)]),
    ),
    unassigned: unassigned.reduce((sum, { units }) => sum + units, 0),
    hours: Object.fromEntries(hours.map((hour) => [`${hour.hour} ${hour.variation_id}`, counted(hour, [])])),
    last_event_at,
    links: Object.fromEntries(
      links.map(({ variation_id, users, with_two, with_three }) => [variation_id, [users, with_two, with_three]]),
    ),
  };
}

it("however often, in whatever order and batches events come, counts are those of the set of them", async () => {
  await withShard(async ({ record, counts, compare, told }) => {
    let run = 0;
    const property = fc.asyncProperty(anyDelivery, async ({ events, order, sizes }) => {
      run++;
      const as = (name: string, list: readonly VestibuleEvent[]) =>
        list.map((event) => ({ ...event, experiment_id: `${name}_${run}` }));
      record(as("once", events));
      for (const batch of batchesOf(as("often", order), sizes)) record(batch);
      const [once, often] = [await counts(`once_${run}`), await counts(`often_${run}`)];
      expect(often).toEqual({ ...once, examples: often.examples });
      expect(partOf(often)).toEqual(truthOf(events));
      const { running, anew } = compare(`often_${run}`);
      expect(running).toEqual(anew);
      const whole = await counts(`often_${run}`, { from: 0, to: Date.parse("2100-01-01") });
      expect(partOf(whole)).toEqual(partOf(once));
    });
    await fc.assert(property, { numRuns: runs });
    expect(told).toEqual([]);
  });
});
