/** What operations answer, as schemas: the resources as they are shown. The Worker needs none of this. */
import * as v from "valibot";
import { changeSchema } from "../../src/model/change.ts";
import { validationWarningCodes } from "../../src/model/check/warn-experiment.ts";
import { type CohortStatus, cohortSchema } from "../../src/model/cohort.ts";
import { deploymentSchema } from "../../src/model/deployment.ts";
import { experimentPatchSchema, experimentSchema } from "../../src/model/experiment.ts";
import { featureFlagSchema } from "../../src/model/feature-flag.ts";
import { descriptionSchema, nameSchema, timestampSchema } from "../../src/model/fields.ts";
import { groupSchema } from "../../src/model/group.ts";
import { logEntryViewSchema } from "../../src/model/log-entry.ts";
import { type LogStreamDelivery, logStreamSchema } from "../../src/model/log-stream.ts";
import { rolloutSchema } from "../../src/model/rollout.ts";
import { rulesSchema, segmentExpression, segmentSchema } from "../../src/model/segment.ts";
import { snapshotSchema } from "../../src/model/snapshot.ts";
import { scopesSchema, tokenMadeSchema, tokenViewSchema } from "../../src/model/token.ts";
import { configurationSchema } from "../../src/model/transfer/configuration-schema.ts";
import { variationSchema } from "../../src/model/variation.ts";
import { experimentDiagnosis, experimentReport } from "./report-answers.ts";

const patch = experimentPatchSchema.pipe[0].entries;
const experiment = v.strictObject({
  ...experimentSchema.entries,
  /** Of a draft: the first of its levels, whatever that is. */
  current_level: v.exactOptional(v.pipe(v.number(), v.integer())),
  is_valid: v.boolean(),
  editable_fields: v.array(v.picklist(Object.keys(patch) as (keyof typeof patch)[])),
});

const deployment = v.omit(deploymentSchema, ["key_hash"]);

const amplitudeFlags = v.array(v.looseObject({ key: v.string() }));
const deploymentMade = v.strictObject({ ...deployment.entries, key: v.string() });

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const cohortStatus = v.strictObject({
  state: v.picklist(["never", "ok", "unchanged", "failing", "refreshing"]),
  size: count,
  refreshed_at: v.nullable(timestampSchema),
  last_attempt_at: v.nullable(timestampSchema),
  added: count,
  removed: count,
  skipped: count,
  error: v.nullable(v.string()),
  failures: count,
  next_attempt_at: v.nullable(timestampSchema),
} satisfies { [Field in keyof CohortStatus]: v.GenericSchema<CohortStatus[Field]> });
const cohort = v.strictObject({
  ...cohortSchema.entries,
  has_credentials: v.boolean(),
  status: v.nullable(cohortStatus),
});

const moment = v.nullable(timestampSchema);
const logStream = v.strictObject({
  ...logStreamSchema.entries,
  status: v.picklist(["active", "paused", "suspended"]),
  sink: v.strictObject({
    ...logStreamSchema.entries.sink.entries,
    has_authorization: v.boolean(),
    http_custom_headers: v.array(v.strictObject({ header: v.string() })),
  }),
  delivery: v.nullable(
    v.strictObject({
      state: v.picklist(["idle", "sending", "failing", "paused", "suspended"]),
      delivered: count,
      last_delivered_at: moment,
      pending: count,
      pending_since: moment,
      lost: count,
      failures: count,
      failing_since: moment,
      error: v.nullable(v.string()),
      next_attempt_at: moment,
    } satisfies { [Field in keyof LogStreamDelivery]: v.GenericSchema<LogStreamDelivery[Field]> }),
  ),
});

/** As `fields` asks for it. */
const logEntryPart = v.partial(logEntryViewSchema);

const pageOf = (name: string, item: v.GenericSchema) =>
  v.strictObject({ [name]: v.array(item), next: v.exactOptional(v.string()) });

const steps = { trace: v.nullable(v.looseObject({})), words: v.array(v.string()) };

/** What several others hold. */
export const parts: Readonly<Record<string, v.GenericSchema>> = {
  Name: nameSchema,
  Description: descriptionSchema,
  Rollout: rolloutSchema,
  SegmentRules: rulesSchema,
  SegmentExpression: segmentExpression,
};

/** By the name of their component. */
export const answers: Readonly<Record<string, v.GenericSchema>> = {
  FeatureFlag: featureFlagSchema,
  FeatureFlagPage: pageOf("feature_flags", featureFlagSchema),
  Variation: variationSchema,
  VariationList: v.strictObject({ variations: v.array(variationSchema) }),
  Experiment: experiment,
  ExperimentPage: pageOf("experiments", experiment),
  Validation: v.strictObject({
    is_valid: v.boolean(),
    errors: v.array(v.strictObject({ code: v.string(), message: v.string() })),
    warnings: v.exactOptional(
      v.array(v.strictObject({ code: v.picklist(validationWarningCodes), message: v.string(), path: v.string() })),
    ),
  }),
  ExperimentReport: experimentReport,
  ExperimentDiagnosis: experimentDiagnosis,
  Segment: segmentSchema,
  SegmentPage: pageOf("segments", segmentSchema),
  Cohort: cohort,
  CohortPage: pageOf("cohorts", cohort),
  CohortStatus: cohortStatus,
  Membership: v.strictObject({ id: v.string(), is_member: v.boolean(), as_of: v.nullable(timestampSchema) }),
  MemberSample: v.strictObject({ members: v.array(v.string()), size: count }),
  MemberList: v.array(v.union([v.string(), v.number(), v.looseObject({})])),
  MemberChanges: v.strictObject({ added: count, removed: count, skipped: count, size: count }),
  Group: groupSchema,
  GroupPage: pageOf("groups", groupSchema),
  Deployment: deployment,
  DeploymentPage: pageOf("deployments", deployment),
  DeploymentMade: deploymentMade,
  Token: tokenViewSchema,
  TokenPage: pageOf("tokens", tokenViewSchema),
  TokenMade: tokenMadeSchema,
  Change: changeSchema,
  ChangePage: pageOf("changes", changeSchema),
  LogEntry: logEntryViewSchema,
  LogEntryPart: logEntryPart,
  LogEntries: v.union([
    v.array(logEntryPart),
    v.strictObject({ start: count, limit: count, length: count, total: count, logs: v.array(logEntryPart) }),
  ]),
  LogStream: logStream,
  LogStreamPage: pageOf("log_streams", logStream),
  Forgotten: v.strictObject({ units: count, links: count, log_entries: count }),
  Publication: v.strictObject({
    version: v.number(),
    committed_at: v.nullable(timestampSchema),
    published: v.nullable(v.strictObject({ version: v.number(), at: timestampSchema, bytes: v.number() })),
    pending: v.nullable(
      v.strictObject({
        version: v.number(),
        since: timestampSchema,
        attempts: v.number(),
        last_error: v.nullable(v.string()),
        next_attempt_at: v.nullable(timestampSchema),
      }),
    ),
    snapshot: v.nullable(snapshotSchema),
  }),
  Snapshot: snapshotSchema,
  Caller: v.strictObject({ actor: v.string(), scopes: scopesSchema, tenant: v.string() }),
  Explanation: v.strictObject({
    version: v.number(),
    context: v.looseObject({}),
    cohorts: v.nullable(v.array(v.string())),
    cohorts_explanation: v.string(),
    flags: v.array(
      v.strictObject({
        flag_key: v.string(),
        feature_flag_id: v.string(),
        experiment_id: v.nullable(v.string()),
        variation_id: v.nullable(v.string()),
        variation_key: v.nullable(v.string()),
        segment_id: v.nullable(v.string()),
        method: v.nullable(v.picklist(["auto", "inclusion", "sticky"])),
        reason: v.string(),
        explanation: v.string(),
        ...steps,
        depends_on: v.array(v.strictObject({ flag_key: v.string(), variation_key: v.nullable(v.string()), ...steps })),
      }),
    ),
  }),
  Configuration: configurationSchema,
  AmplitudeFlags: amplitudeFlags,
  ImportDocument: v.union([configurationSchema, amplitudeFlags]),
  Import: v.strictObject({
    dry_run: v.boolean(),
    changes: v.array(
      v.strictObject({
        action: v.picklist(["create", "update", "delete"]),
        resource_type: changeSchema.entries.resource_type,
        id: v.string(),
        name: v.string(),
        fields: v.array(v.string()),
      }),
    ),
    problems: v.array(v.strictObject({ code: v.string(), path: v.string(), message: v.string() })),
    warnings: v.array(v.strictObject({ path: v.string(), message: v.string() })),
    deployments: v.array(deploymentMade),
  }),
};
