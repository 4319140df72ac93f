/** What report and diagnosis of an experiment answer, as schemas. */
import * as v from "valibot";
import { type CheckResult, checkStatuses } from "../../src/diagnosis/check.ts";
import type { DiagnosisAnswer, Lack, ReportAnswer } from "../../src/diagnosis/gather.ts";
import type { Rate, VariationReport } from "../../src/diagnosis/variation-report.ts";
import { timestampSchema } from "../../src/model/fields.ts";

type SchemaOf<Answer> = { [Field in keyof Answer]-?: v.GenericSchema };

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const fraction = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const byVariation = <Value extends v.GenericSchema>(value: Value) => v.record(v.string(), value);

const window = v.nullable(
  v.strictObject({ from: v.exactOptional(timestampSchema), to: v.exactOptional(timestampSchema) }),
);
const partial = v.array(
  v.strictObject({
    source: v.picklist(["ledger", "verdicts", "log", "cohorts"]),
    detail: v.string(),
  } satisfies SchemaOf<Lack>),
);
const verdict = v.picklist(["not_enough_data", "green", "yellow", "red", "not_applicable"]);

const difference = v.strictObject({ estimate: v.number(), low: v.number(), high: v.number() });
const rate = v.strictObject({
  rate: v.nullable(fraction),
  low: v.nullable(fraction),
  high: v.nullable(fraction),
  difference: v.nullable(difference),
} satisfies SchemaOf<Rate>);
const variation = v.strictObject({
  variation_id: v.string(),
  name: v.string(),
  key: v.string(),
  is_control: v.boolean(),
  share: v.nullable(fraction),
  assignments: count,
  exposures: count,
  logins: count,
  signups: count,
  failures: count,
  pass_throughs: count,
  rates: v.strictObject({
    exposure: rate,
    login: rate,
    signup: rate,
    failure: rate,
    login_after_exposure: rate,
  } satisfies SchemaOf<VariationReport["rates"]>),
} satisfies SchemaOf<VariationReport>);

const chiSquare = v.strictObject({
  statistic: v.nullable(v.number()),
  df: count,
  p: fraction,
  log10_p: v.nullable(v.number()),
});
const split = { chi_square: chiSquare, deviation: fraction, units: count, verdict };

export const experimentReport = v.strictObject({
  experiment_id: v.string(),
  status: v.string(),
  as_of: timestampSchema,
  window,
  partial,
  variations: v.array(variation),
  srm: v.strictObject({
    ...split,
    sequential: v.strictObject({ log_bayes_factor: v.nullable(v.number()), p: fraction, is_alert: v.boolean() }),
  } satisfies SchemaOf<ReportAnswer["srm"]>),
  exposure_srm: v.strictObject(split satisfies SchemaOf<ReportAnswer["exposure_srm"]>),
  jumping: v.strictObject({
    exposed: count,
    jumped: count,
    share: fraction,
    by_configuration: count,
    by_identity: count,
  } satisfies SchemaOf<ReportAnswer["jumping"]>),
  excluded: v.strictObject({
    forced: count,
    included: count,
    sticky: count,
    unassigned: count,
  } satisfies SchemaOf<ReportAnswer["excluded"]>),
  epochs: v.array(
    v.strictObject({
      epoch: count,
      from: v.nullable(timestampSchema),
      to: v.nullable(timestampSchema),
      shares: v.nullable(byVariation(fraction)),
      assignments: byVariation(count),
    } satisfies SchemaOf<ReportAnswer["epochs"][number]>),
  ),
  hours: v.array(
    v.strictObject({
      hour: timestampSchema,
      variation_id: v.string(),
      assigned: count,
      exposed: count,
      logins: count,
      signups: count,
      failures: count,
      pass_throughs: count,
    } satisfies SchemaOf<ReportAnswer["hours"][number]>),
  ),
  detectable: v.array(v.strictObject({ deviation: fraction, units: count })),
  warnings: v.array(v.string()),
} satisfies SchemaOf<ReportAnswer>);

const check = v.strictObject({
  id: v.string(),
  status: v.picklist(checkStatuses),
  title: v.string(),
  detail: v.string(),
  evidence: v.looseObject({}),
  threshold: v.record(v.string(), v.number()),
  fix: v.string(),
} satisfies SchemaOf<CheckResult>);

export const experimentDiagnosis = v.strictObject({
  experiment_id: v.string(),
  as_of: timestampSchema,
  window,
  partial,
  verdict,
  leading: v.nullable(v.string()),
  traffic: v.array(check),
  setup: v.array(check),
  srm: v.array(check),
} satisfies SchemaOf<DiagnosisAnswer>);
