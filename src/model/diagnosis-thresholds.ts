/** From where on the diagnosis of an experiment passes, warns or fails. Shares are fractions of one. */
import * as v from "valibot";

const fraction = v.pipe(
  v.number("must be a number"),
  v.minValue(0, "must be at least 0"),
  v.maxValue(1, "must be at most 1"),
);
const positive = v.pipe(v.number("must be a number"), v.minValue(0, "must be at least 0"));

const entries = {
  /** Sample ratio: red under this p where shares are off by `min_deviation` at least, yellow under the next. */
  red_p: v.optional(fraction, 0.001),
  yellow_p: v.optional(fraction, 0.01),
  min_deviation: v.optional(fraction, 0.001),
  /** Under this sequential p there is an alert, whenever it is looked at. */
  alert_p: v.optional(fraction, 0.01),
  /** There is too little data while fewer units are expected of a variation, or there are fewer in all. */
  min_expected: v.optional(positive, 5),
  min_units: v.optional(positive, 100),
  /** From this p on, a count that was put right is no mismatch any more: what it was put right by explains. */
  explained_p: v.optional(fraction, 0.01),

  /** Exposures before their assignment, of all. */
  early_share: v.optional(fraction, 0.001),
  jumping_warn_share: v.optional(fraction, 0.01),
  jumping_fail_share: v.optional(fraction, 0.05),
  funnel_warn_p: v.optional(fraction, 0.05),
  funnel_fail_p: v.optional(fraction, 0.001),
  funnel_min_difference: v.optional(fraction, 0.001),
  /** A variation with a weight may be without an assignment for so long. */
  silence_hours: v.optional(positive, 1),
  /** Units that are served something else than their hash gives. */
  sticky_share: v.optional(fraction, 0.01),
  inclusions_warn_share: v.optional(fraction, 0.005),
  inclusions_fail_share: v.optional(fraction, 0.01),
  /** So many red ones of the last so many experiments are no chance. */
  systemic_red: v.optional(positive, 2),
  systemic_of: v.optional(positive, 10),
  /** Users with three devices or more in a week. */
  churn_share: v.optional(fraction, 0.05),
  churn_p: v.optional(fraction, 0.001),
  missing_exposure_share: v.optional(fraction, 0.005),
  missing_exposure_p: v.optional(fraction, 0.001),
  /** Exposures to the control without an assignment, of all to it. */
  fallback_share: v.optional(fraction, 0.001),
  /** After Holm's correction, of groups of `drill_min_units` at least. */
  drill_p: v.optional(fraction, 0.01),
  drill_min_units: v.optional(positive, 100),

  /** Hours back in which an open circuit fails the check; a day back it warns. */
  breaker_hours: v.optional(positive, 1),
  /** Minutes a change may be on its way to the edge. */
  publish_minutes: v.optional(positive, 2),
  /** Units exposed that are of another kind than the assigned, and without any assignment. */
  other_kind_share: v.optional(fraction, 0.01),
  unassigned_share: v.optional(fraction, 0.05),
  /** Units of a platform that lack a property. */
  missing_property_warn_share: v.optional(fraction, 0.05),
  missing_property_fail_share: v.optional(fraction, 0.5),
  /** Schedules that a cohort may be old. */
  cohort_warn_schedules: v.optional(positive, 2),
  cohort_fail_schedules: v.optional(positive, 24),
  /** Units with no event after their assignment. */
  silent_warn_share: v.optional(fraction, 0.2),
  silent_fail_share: v.optional(fraction, 0.5),
  /** A deployment that assigns and of which fewer units are exposed assigns nobody who is there. */
  server_exposed_share: v.optional(fraction, 0.05),
  /** A custom exposure in the moment of the assignment. */
  at_once_share: v.optional(fraction, 0.95),
};

/** As a tenant's settings may say them: those left out are as here. */
export const diagnosisThresholds = v.strictObject(entries);
export type Thresholds = v.InferOutput<typeof diagnosisThresholds>;

export const thresholdNames = Object.keys(entries) as (keyof Thresholds)[];
export const defaultThresholds: Thresholds = v.parse(diagnosisThresholds, {});
