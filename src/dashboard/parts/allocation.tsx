/** Who gets what of an experiment: as a bar, and in words beside it. */
import type { Allocation, Experiment } from "../../model/experiment.ts";
import { currentLevel, segmentAllocations } from "../../model/experiment.ts";
import { Percent } from "./reader.tsx";

/** What names of things a page has looked up, by id. */
export type Names = ReadonlyMap<string, string>;

export const nameIn = (names: Names, id: string): string => names.get(id) ?? id;

interface Share {
  id: string;
  name: string;
  isControl: boolean;
  /** Of all subjects that the experiment is for, 1 being all. */
  of: number;
}

/** The same colour for a variation in every place: by its place in the allocations. */
export const toneOf = (place: number): string => `tone-${place % 8}`;

export function sharesOf(experiment: Experiment, names: Names): Share[] {
  const { allocations } = experiment;
  const total = allocations.reduce((sum, { weight = 0 }) => sum + weight, 0);
  const level = currentLevel(experiment) / 100;
  return allocations.map(({ variation_id, weight = 0, is_control }) => ({
    id: variation_id,
    name: nameIn(names, variation_id),
    isControl: is_control,
    of: total === 0 ? 0 : (weight / total) * level,
  }));
}

export function AllocationBar({ experiment, names }: { experiment: Experiment; names: Names }) {
  if (experiment.allocations.length === 0) return <p class="quiet">Nobody gets anything yet: no allocations.</p>;
  return experiment.allocation_strategy === "percentage" ? (
    <PercentageBar shares={sharesOf(experiment, names)} />
  ) : (
    <SegmentList experiment={experiment} names={names} />
  );
}

function PercentageBar({ shares }: { shares: Share[] }) {
  const taken = shares.reduce((sum, { of }) => sum + of, 0);
  let at = 0;
  return (
    <div class="split">
      <svg viewBox="0 0 1000 1" preserveAspectRatio="none" height="14" aria-hidden="true">
        <rect class="rest" width="1000" height="1" />
        {shares.map(({ of }, place) => {
          const x = at;
          at += of * 1000;
          // A hair between neighbours, so that they part without colours too.
          return (
            <rect class={toneOf(place)} x={x.toFixed(1)} width={Math.max(0, of * 1000 - 2).toFixed(1)} height="1" />
          );
        })}
      </svg>
      <ul class="legend">
        {shares.map(({ name, isControl, of }, place) => (
          <li>
            <Swatch place={place} /> {name}
            {isControl && <span class="quiet"> (control)</span>} <Percent of={of} digits={of < 0.01 ? 2 : 1} />
          </li>
        ))}
        {taken < 0.9995 && (
          <li>
            <span class="swatch rest" aria-hidden="true" /> not in the experiment <Percent of={1 - taken} />
          </li>
        )}
      </ul>
    </div>
  );
}

export function Swatch({ place }: { place: number }) {
  return <span class={`swatch ${toneOf(place)}`} aria-hidden="true" />;
}

function SegmentList({ experiment, names }: { experiment: Experiment; names: Names }) {
  const { allocations } = experiment;
  const row = (allocation: Allocation, who: string) => (
    <li>
      {who} <span aria-hidden="true">→</span> <Swatch place={allocations.indexOf(allocation)} />{" "}
      {nameIn(names, allocation.variation_id)}
      {allocation.is_control && <span class="quiet"> (control)</span>}
    </li>
  );
  const fallback = allocations.find(({ is_fallback }) => is_fallback === true);
  return (
    <ol class="segments">
      {segmentAllocations(experiment).map((allocation) =>
        row(allocation, allocation.segment_id === undefined ? "no segment" : nameIn(names, allocation.segment_id)),
      )}
      {fallback && row(fallback, "everyone else")}
    </ol>
  );
}
