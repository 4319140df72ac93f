/** What is asked of allocations when they are written; whether they can run is asked by validation. */
import { type Experiment, type ExperimentCreate, maxAllocations } from "../../model/experiment.ts";
import { Problem } from "../../model/problem.ts";
import type { Draft } from "../tables.ts";

type Allocations = NonNullable<ExperimentCreate["allocations"]>;

/** Fields that mean nothing under the other strategy; `is_fallback: false` says nothing either way. */
const foreignFields = { percentage: ["segment_id", "priority", "is_fallback"], segment: ["weight"] } as const;

/** @throws {Problem} */
export function expectAllocations(
  draft: Draft,
  allocations: Allocations,
  strategy: Experiment["allocation_strategy"],
): void {
  if (allocations.length > maxAllocations) {
    throw new Problem("too_many_allocations", `allocations holds ${allocations.length}.`);
  }
  const other = strategy === "percentage" ? "segment" : "percentage";
  allocations.forEach((allocation, index) => {
    const field = foreignFields[strategy].find(
      (name) => (allocation[name as keyof typeof allocation] ?? false) !== false,
    );
    if (field !== undefined) {
      const message = `belongs to the ${other} strategy; this experiment's is ${strategy}`;
      throw new Problem("invalid_body", `allocations[${index}].${field}: ${message}.`);
    }
    const { segment_id } = allocation;
    if (segment_id !== undefined && draft.get("segment", segment_id) === undefined) {
      throw new Problem("unknown_segment", `allocations[${index}].segment_id: there is no ${segment_id}.`);
    }
  });
}

/** Drafts may hold foreign variations, which validation reports; what has been active may not. @throws {Problem} */
export function expectOwnVariations(draft: Draft, flagId: string, allocations: Allocations): void {
  allocations.forEach(({ variation_id }, index) => {
    if (draft.get("variation", variation_id)?.feature_flag_id === flagId) return;
    throw new Problem(
      "variation_not_from_flag",
      `allocations[${index}].variation_id: ${variation_id} is none of ${flagId}.`,
    );
  });
}
