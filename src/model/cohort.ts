/** A cohort: a list of subjects, kept elsewhere and fetched every hour, or pushed through the API. */
import * as v from "valibot";
import { descriptionSchema, nameSchema, patchOf, timestampSchema } from "./fields.ts";
import { cohortId } from "./ids.ts";

/** Which id its members are. */
export const cohortIdType = v.picklist(["user", "device"], "must be user or device");
export type CohortIdType = v.InferOutput<typeof cohortIdType>;

export const cohortFormats = ["ndjson", "csv", "json", "amplitude"] as const;
export type CohortFormat = (typeof cohortFormats)[number];

const urlSource = v.strictObject({
  type: v.literal("url"),
  /** https, at a host of `COHORT_HOSTS`. */
  url: v.pipe(v.string("must be text"), v.maxLength(2048, "must have at most 2048 characters")),
  /** `amplitude`: the answer of `/sdk/v1/cohort/{id}`. */
  format: v.picklist(cohortFormats, `must be one of ${cohortFormats.join(", ")}`),
  /** Column (CSV) or field (NDJSON, JSON) that holds the id, where a line is more than an id. `id` when absent. */
  field: v.exactOptional(v.pipe(v.string("must be text"), v.minLength(1, "must not be empty"), v.maxLength(255))),
});
const pushSource = v.strictObject({ type: v.literal("push") });
export const cohortSource = v.variant(
  "type",
  [urlSource, pushSource],
  'must be {"type": "url", …} or {"type": "push"}',
);
export type CohortSource = v.InferOutput<typeof cohortSource>;

const secret = v.pipe(v.string("must be text"), v.maxLength(4096, "must have at most 4096 characters"));
const plain = v.pipe(
  secret,
  v.check((text) => !/\p{Cc}/u.test(text), "must hold no control character"),
);

/** Sent to the source; never shown again. RFC 7617, section 2, and RFC 6750, section 2.1, say what may travel. */
export const cohortCredentials = v.variant(
  "type",
  [
    v.strictObject({
      type: v.literal("basic"),
      username: v.pipe(plain, v.regex(/^[^:]*$/, "must hold no colon")),
      password: plain,
    }),
    v.strictObject({
      type: v.literal("bearer"),
      token: v.pipe(secret, v.regex(/^[!-~]+$/, "must be visible ASCII without spaces")),
    }),
  ],
  'must be {"type": "basic", "username", "password"} or {"type": "bearer", "token"}',
);
export type CohortCredentials = v.InferOutput<typeof cohortCredentials>;

/** Kept apart from the cohort, so that whatever shows cohorts cannot show them. */
export interface CohortSecret {
  /** The cohort's. */
  id: string;
  credentials: CohortCredentials;
}

export const defaultRefreshMinutes = 60;

const refreshMinutes = v.pipe(
  v.number("must be a number"),
  v.integer("must be a whole number"),
  v.minValue(5, "must be at least 5"),
  v.maxValue(7 * 24 * 60, "must be at most 10080, a week"),
);

/** As stored with the other resources. Members and the last refresh are kept by the tenant's cohort object. */
export const cohortSchema = v.strictObject({
  id: cohortId,
  name: nameSchema,
  description: v.exactOptional(descriptionSchema),
  id_type: cohortIdType,
  source: cohortSource,
  /** Minutes from one refresh to the next; 60 unless said otherwise. */
  refresh_minutes: refreshMinutes,
  created_at: timestampSchema,
  updated_at: timestampSchema,
});
export type Cohort = v.InferOutput<typeof cohortSchema>;

export const cohortCreateSchema = v.strictObject({
  name: nameSchema,
  description: v.exactOptional(descriptionSchema),
  id_type: cohortIdType,
  source: cohortSource,
  credentials: v.exactOptional(cohortCredentials),
  refresh_minutes: v.exactOptional(refreshMinutes, defaultRefreshMinutes),
});
export type CohortCreate = v.InferOutput<typeof cohortCreateSchema>;

export const cohortPatchSchema = patchOf(
  {
    name: nameSchema,
    description: v.nullable(descriptionSchema),
    source: cohortSource,
    credentials: v.nullable(cohortCredentials),
    refresh_minutes: refreshMinutes,
  },
  { id_type: "cannot be changed; make a new cohort" },
);
export type CohortPatch = v.InferOutput<typeof cohortPatchSchema>;

/** With what its source is asked for it: what the cohort object is told, and nobody else. */
export interface CohortDefinition extends Cohort {
  credentials?: CohortCredentials;
}

/** As the control plane answers it; the status is added by the API. */
export interface CohortView extends Cohort {
  has_credentials: boolean;
}

/** What became of the last attempt to fetch it. */
export interface CohortStatus {
  state: "never" | "ok" | "unchanged" | "failing" | "refreshing";
  /** Members that look-ups answer with now. */
  size: number;
  /** ISO time at which the source last said that these are the members; null before the first time. */
  refreshed_at: string | null;
  last_attempt_at: string | null;
  /** Of the last refresh that changed anything. */
  added: number;
  removed: number;
  /** Lines of the last refresh that held no usable id. */
  skipped: number;
  /** What and where; null when the last attempt succeeded. */
  error: string | null;
  /** Failed attempts since the last that succeeded. */
  failures: number;
  next_attempt_at: string | null;
}
