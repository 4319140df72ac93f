/** The order of fields in answers: the Experiment Center's, then ours, whatever edits and imports have made of it. */
import { cohortSchema } from "./cohort.ts";
import { deploymentSchema } from "./deployment.ts";
import { experimentSchema } from "./experiment.ts";
import { featureFlagSchema } from "./feature-flag.ts";
import { logStreamSchema } from "./log-stream.ts";
import { segmentSchema } from "./segment.ts";
import { tokenSchema } from "./token.ts";
import { variationSchema } from "./variation.ts";

const fields: Readonly<Record<string, readonly string[]>> = {
  feature_flag: Object.keys(featureFlagSchema.entries),
  variation: Object.keys(variationSchema.entries),
  experiment: Object.keys(experimentSchema.entries).flatMap((field) => {
    if (field === "status") return [field, "is_valid"];
    return field === "allocations" ? [field, "editable_fields"] : [field];
  }),
  segment: Object.keys(segmentSchema.entries),
  group: [
    ...["id", "name", "description", "type", "key", "bucketing_key", "bucketing_salt"],
    ...["slots", "percentage", "feature_flag_ids", "created_at", "updated_at"],
  ],
  cohort: Object.keys(cohortSchema.entries),
  deployment: Object.keys(deploymentSchema.entries),
  log_stream: Object.keys(logStreamSchema.entries),
  token: Object.keys(tokenSchema.entries),
};

/** @param type as the change log names it */
export function shown<Item extends object>(type: string, item: Item): Item {
  const known = (fields[type] ?? []).filter((field) => Object.hasOwn(item, field));
  return { ...Object.fromEntries(known.map((field) => [field, item[field as keyof Item]])), ...item };
}
