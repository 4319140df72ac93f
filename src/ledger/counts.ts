/** Tallies as counts that are asked for. */

import type { VestibuleEvent } from "../model/event.ts";
import type { Cell, FirstMethod, LedgerCounts } from "../model/ledger-counts.ts";
import { hourMs, isAttributePart, isHourPart, mainPart } from "./contribution.ts";
import type { Tallies, Tally } from "./tallies.ts";

export interface Reading {
  tallies: Tallies;
  /** Units first assigned in this minute (since the epoch) or later are not settled yet. */
  unsettledFrom: number;
  lastAt: number;
  halvings: number;
  examples: LedgerCounts["examples"];
}

const timeOf = (ms = 0): string | null => (ms === 0 ? null : new Date(ms).toISOString());

export function countsOf({ tallies, unsettledFrom, lastAt, halvings, examples }: Reading): LedgerCounts {
  const entries = [...tallies.part(mainPart)].map(([key, tally]) => ({ pieces: key.split("\t"), tally }));
  const under = <T>(kind: string, read: (pieces: string[], tally: Tally) => T): T[] =>
    entries.flatMap(({ pieces: [of, ...pieces], tally }) =>
      of === kind && isCounted(tally) ? [read(pieces, tally)] : [],
    );

  const unsettled = Map.groupBy(
    under("fresh", ([minute, ...cell], tally) => ({ minute: Number(minute), cell: cell.join("\t"), tally })).filter(
      ({ minute }) => minute >= unsettledFrom,
    ),
    ({ cell }) => cell,
  );
  const sumOf = (cell: string, field: string) =>
    (unsettled.get(cell) ?? []).reduce((sum, { tally }) => sum + (tally[field] ?? 0), 0);

  return {
    cells: under("cell", (pieces, tally) => cellOf(pieces, tally, (field) => sumOf(pieces.join("\t"), field))),
    unassigned: under("unassigned", ([variation_id = "", source], { units = 0 }) => ({
      variation_id,
      source: source as VestibuleEvent["source"],
      units,
    })),
    forced: under("forced", (_, { units = 0 }) => units)[0] ?? 0,
    attributes: partsOf(tallies, isAttributePart).map(([[name = "", value = "", epoch, variation_id = ""], tally]) => ({
      name,
      value,
      epoch: Number(epoch),
      variation_id,
      assigned: tally.assigned ?? 0,
      exposed: tally.exposed ?? 0,
    })),
    placebos: under("placebo", ([bit, value], { assigned = 0, exposed = 0 }) => ({
      bit: Number(bit) as 0 | 1,
      value: Number(value) as 0 | 1,
      assigned,
      exposed,
    })),
    missing: under("missing", ([property = "", platform = ""], { units = 0 }) => ({ property, platform, units })),
    links: under("link", ([variation_id = ""], { users = 0, with_two = 0, with_three = 0 }) => ({
      variation_id,
      users,
      with_two,
      with_three,
    })),
    kinds: under("kind", ([type, kind], { units = 0 }) => ({
      type: type as "assignment" | "exposure",
      subject_kind: kind as VestibuleEvent["subject_kind"],
      units,
    })),
    hours: partsOf(tallies, isHourPart).map(([[hour, variation_id = ""], tally]) => ({
      hour: new Date(Number(hour) * hourMs).toISOString(),
      variation_id,
      assigned: tally.assigned ?? 0,
      exposed: tally.exposed ?? 0,
      logins: tally.logins ?? 0,
      signups: tally.signups ?? 0,
      failures: tally.failures ?? 0,
      pass_throughs: tally.pass_throughs ?? 0,
    })),
    last_event_at: timeOf(lastAt),
    examples,
    share: 2 ** -halvings,
  };
}

function isCounted(tally: Tally): boolean {
  return Object.values(tally).some((count) => count !== 0);
}

function partsOf(tallies: Tallies, isOne: (part: string) => boolean): [string[], Tally][] {
  return [...tallies.parts].flatMap(([name, part]) =>
    isOne(name)
      ? [...part].flatMap(([key, tally]): [string[], Tally][] => (isCounted(tally) ? [[key.split("\t"), tally]] : []))
      : [],
  );
}

function cellOf(
  [epoch, variation_id = "", method]: readonly string[],
  tally: Tally,
  unsettled: (field: string) => number,
): Cell {
  const count = (field: string) => tally[field] ?? 0;
  return {
    epoch: Number(epoch),
    variation_id,
    method: method as FirstMethod,
    assigned: count("assigned"),
    before: count("before"),
    exposed: count("exposed"),
    exposed_edge: count("exposed_edge"),
    exposed_custom: count("exposed_custom"),
    returning: count("returning"),
    logins: count("logins"),
    signups: count("signups"),
    failures: count("failures"),
    passed: count("passed"),
    settled: count("assigned") - unsettled("assigned"),
    settled_exposed: count("exposed") - unsettled("exposed"),
    silent: count("silent") - unsettled("silent"),
    finished: count("finished"),
    finished_unexposed: count("finished_unexposed"),
    early: count("early"),
    at_once: count("at_once"),
    rehashed: count("rehashed"),
    jumped: count("jumped"),
    jumped_configuration: count("jumped_configuration"),
    jumped_identity: count("jumped_identity"),
    first_assigned_at: timeOf(tally.fa),
    last_assigned_at: timeOf(tally.la),
    first_exposed_at: timeOf(tally.fx),
    last_exposed_at: timeOf(tally.lx),
  };
}
