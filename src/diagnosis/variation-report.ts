/** What each variation has come to, and how it differs from the control. */
import type { ExperimentRecord } from "../model/experiment-record.ts";
import type { Cell } from "../model/ledger-counts.ts";
import { differenceSequence, rateSequence } from "../stats/confidence-sequence.ts";
import type { Proportion } from "../stats/proportions.ts";
import { total } from "./split.ts";

/** How often an interval may miss the truth, all its looks together. */
const alpha = 0.05;

export interface Rate {
  /** Null where there is nothing to divide by. */
  rate: number | null;
  low: number | null;
  high: number | null;
  /** Less the control's; null for the control itself, and until both have enough of either outcome. */
  difference: { estimate: number; low: number; high: number } | null;
}

const rateNames = ["exposure", "login", "signup", "failure", "login_after_exposure"] as const;
type RateName = (typeof rateNames)[number];

export interface VariationReport {
  variation_id: string;
  name: string;
  key: string;
  is_control: boolean;
  /** Of the epoch in force. */
  share: number | null;
  assignments: number;
  exposures: number;
  logins: number;
  signups: number;
  failures: number;
  /** Logins that an existing session at the provider ended without a page: they are no logins, and in no rate. */
  pass_throughs: number;
  rates: Record<RateName, Rate>;
}

type Proportions = Record<RateName, Proportion | null>;

/** Of all that were assigned, so that no loss of exposures can feign a difference of log-ins. */
function proportionsOf(cells: readonly Cell[]): Proportions {
  const trials = total(cells, (cell) => cell.assigned);
  const of = (successes: number, all = trials) => (all === 0 || successes > all ? null : { successes, trials: all });
  const logins = total(cells, (cell) => cell.logins);
  const exposed = total(cells, (cell) => cell.exposed);
  return {
    exposure: of(exposed),
    login: of(logins),
    signup: of(total(cells, (cell) => cell.signups)),
    failure: of(total(cells, (cell) => cell.failures)),
    login_after_exposure: of(logins, exposed),
  };
}

/** @param base cells of units that were assigned by hash */
export function variationReports(record: ExperimentRecord, base: readonly Cell[]): VariationReport[] {
  const shares = record.epochs.at(-1)?.shares ?? null;
  const allocated = new Set(record.epochs.flatMap((epoch) => Object.keys(epoch.shares ?? {})));
  for (const { variation_id } of record.experiment.allocations) allocated.add(variation_id);
  for (const { variation_id } of base) allocated.add(variation_id);
  const known = new Map(record.variations.map((variation) => [variation.id, variation]));
  // In stored order, and then what is no more.
  const ids = [...record.variations.map(({ id }) => id).filter((id) => allocated.has(id)), ...allocated];
  const ownOf = (id: string) => base.filter(({ variation_id }) => variation_id === id);
  const controlId = record.variations.find(({ is_control }) => is_control)?.id;
  const control = controlId === undefined ? null : proportionsOf(ownOf(controlId));
  return [...new Set(ids)].map((id) => {
    const cells = ownOf(id);
    const own = proportionsOf(cells);
    const { name = id, key = id } = known.get(id) ?? {};
    const against = id === controlId ? null : control;
    return {
      variation_id: id,
      name,
      key,
      is_control: id === controlId,
      share: shares === null ? null : (shares[id] ?? 0),
      assignments: total(cells, (cell) => cell.assigned),
      exposures: total(cells, (cell) => cell.exposed),
      logins: total(cells, (cell) => cell.logins),
      signups: total(cells, (cell) => cell.signups),
      failures: total(cells, (cell) => cell.failures),
      pass_throughs: total(cells, (cell) => cell.passed),
      rates: Object.fromEntries(
        rateNames.map((rate) => [rate, rateReport(own[rate], against?.[rate] ?? null)]),
      ) as Record<RateName, Rate>,
    };
  });
}

function rateReport(own: Proportion | null, control: Proportion | null): Rate {
  if (own === null) return { rate: null, low: null, high: null, difference: null };
  const { low, high } = rateSequence(own, alpha);
  return { rate: rateOf(own), low, high, difference: control === null ? null : differenceOf(own, control) };
}

function differenceOf(own: Proportion, control: Proportion): Rate["difference"] {
  const interval = differenceSequence(own, control, alpha);
  return interval === null ? null : { estimate: rateOf(own) - rateOf(control), ...interval };
}

const rateOf = ({ successes, trials }: Proportion) => successes / trials;
