/** A log stream: where entries of the tenant's log are sent as they come. In the shape of Auth0's `http` streams. */
import * as v from "valibot";
import { nameSchema, patchOf, timestampSchema } from "./fields.ts";
import { logStreamId } from "./ids.ts";
import type { EntryType } from "./log-entry.ts";

/** All of them may be asking at once, and a Worker has six connections. */
export const mostLogStreams = 5;

/** What an entry is called where it is filtered: as Auth0's categories. */
export const entryCategories = {
  "auth.login.success": "s",
  "auth.login.fail": "f",
  "auth.login.notification": "w",
  "auth.signup.success": "ss",
  "auth.signup.fail": "fs",
} as const satisfies Record<string, EntryType>;
type Category = keyof typeof entryCategories;
const categories = Object.keys(entryCategories) as Category[];

const filter = v.strictObject({
  type: v.literal("category", 'must be "category"'),
  name: v.picklist(categories, `must be one of ${categories.join(", ")}`),
});
/** Entries of any of these; all where there is none. */
const filtersSchema = v.pipe(
  v.array(filter, "must be a list"),
  v.maxLength(categories.length, `must hold at most ${categories.length}`),
);

export const contentFormats = ["JSONLINES", "JSONARRAY", "JSONOBJECT"] as const;
export type ContentFormat = (typeof contentFormats)[number];
const contentFormat = v.picklist(contentFormats, `must be one of ${contentFormats.join(", ")}`);

const endpoint = v.pipe(v.string("must be text"), v.maxLength(2048, "must have at most 2048 characters"));
const contentType = v.pipe(
  v.string("must be text"),
  v.maxLength(255, "must have at most 255 characters"),
  v.regex(/^[\w.+-]+\/[\w.+-]+(; ?[\w-]+=[\w.-]+)*$/, "must be a media type such as application/json"),
);

/** RFC 9110, section 5.5, without what is not ASCII: no intermediary may make something else of it. */
const headerValue = v.pipe(
  v.string("must be text"),
  v.maxLength(4096, "must have at most 4096 characters"),
  v.regex(/^[!-~]([ -~]*[!-~])?$/, "must be visible ASCII, with spaces inside only"),
);
/** Those that say how a request is to be read, or whom it is from, are set by the platform. */
const ownHeaders =
  /^(authorization|connection|content-.*|cookie|expect|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|cf-.*)$/i;
const headerName = v.pipe(
  v.string("must be text"),
  v.regex(/^[\w!#$%&'*+.^`|~-]{1,64}$/, "must be a header's name"),
  v.check((name) => !ownHeaders.test(name), "is set otherwise; it cannot be a custom header"),
);
const mostHeaders = 10;
const customHeaders = v.pipe(
  v.array(v.strictObject({ header: headerName, value: headerValue }), "must be a list"),
  v.maxLength(mostHeaders, `must hold at most ${mostHeaders}`),
  v.check(
    (list) => new Set(list.map(({ header }) => String(header).toLowerCase())).size === list.length,
    "must not name a header twice",
  ),
);

/** What may be shown of where entries are sent. */
const shownSink = {
  /** https, at a host of `LOG_STREAM_HOSTS`. */
  http_endpoint: endpoint,
  http_content_type: contentType,
  http_content_format: contentFormat,
};
/** Sent to the receiver; never shown again. */
const secretSink = {
  http_authorization: v.exactOptional(headerValue),
  http_custom_headers: v.exactOptional(customHeaders),
};

const status = v.picklist(
  ["active", "paused"],
  "must be active or paused; suspended is what becomes of one that fails for long",
);

/** As stored with the other resources. How far it has come is kept by the tenant's logbook. */
export const logStreamSchema = v.strictObject({
  id: logStreamId,
  name: nameSchema,
  type: v.literal("http"),
  status,
  filters: filtersSchema,
  sink: v.strictObject(shownSink),
  /** Entries dated so or later; those that came since it was made, unless said. */
  start_from: v.exactOptional(timestampSchema),
  /** When it was last told to go on: what has been suspended does so. */
  activated_at: timestampSchema,
  created_at: timestampSchema,
  updated_at: timestampSchema,
});
export type LogStream = v.InferOutput<typeof logStreamSchema>;

/** Kept apart from the stream, so that whatever shows streams cannot show them. Custom headers often hold a key. */
export interface LogStreamSecret {
  /** The stream's. */
  id: string;
  sink: v.InferOutput<typeof logStreamSecretSchema>;
}
const logStreamSecretSchema = v.strictObject(secretSink);

export const logStreamCreateSchema = v.strictObject({
  name: nameSchema,
  type: v.literal("http", 'must be "http"'),
  status: v.exactOptional(status, "active"),
  filters: v.exactOptional(filtersSchema, []),
  sink: v.strictObject({
    http_endpoint: endpoint,
    http_content_type: v.exactOptional(contentType),
    http_content_format: v.exactOptional(contentFormat, "JSONLINES"),
    ...secretSink,
  }),
  start_from: v.exactOptional(timestampSchema),
});
export type LogStreamCreate = v.InferOutput<typeof logStreamCreateSchema>;

export const logStreamPatchSchema = patchOf(
  {
    name: nameSchema,
    status,
    filters: filtersSchema,
    sink: v.pipe(
      v.strictObject({
        http_endpoint: v.exactOptional(endpoint),
        http_content_type: v.exactOptional(contentType),
        http_content_format: v.exactOptional(contentFormat),
        http_authorization: v.exactOptional(v.nullable(headerValue)),
        http_custom_headers: v.exactOptional(customHeaders),
      }),
      v.minEntries(1, "must hold at least one field"),
    ),
  },
  { type: "cannot be changed; make a new stream", start_from: "cannot be changed; make a new stream" },
);
export type LogStreamPatch = v.InferOutput<typeof logStreamPatchSchema>;

/** The one that fits, where none is given. */
export function contentTypeOf(format: ContentFormat): string {
  return format === "JSONLINES" ? "application/x-ndjson" : "application/json";
}

/** Types of the entries that its filters let through. */
export function typesOf({ filters }: Pick<LogStream, "filters">): readonly EntryType[] {
  const named = filters.length === 0 ? categories : filters.map(({ name }) => name);
  return [...new Set(named)].map((name) => entryCategories[name]);
}

/** With what its receiver is told: what the logbook is told, and nobody else. */
export interface LogStreamDefinition extends LogStream {
  secrets: LogStreamSecret["sink"];
}

/** As the control plane answers it; how far it has come is added by the API. */
export interface LogStreamView extends Omit<LogStream, "sink"> {
  sink: LogStream["sink"] & { has_authorization: boolean; http_custom_headers: { header: string }[] };
}

/** How far a stream has come. */
export interface LogStreamDelivery {
  state: "idle" | "sending" | "failing" | "paused" | "suspended";
  /** Entries that the receiver has taken. */
  delivered: number;
  last_delivered_at: string | null;
  /** Entries that wait for it, and the date of the one that is next. */
  pending: number;
  pending_since: string | null;
  /** Entries that the log did not keep until they could be sent. */
  lost: number;
  /** Failed attempts since the last that succeeded. */
  failures: number;
  failing_since: string | null;
  /** What and where; null when the last attempt succeeded. */
  error: string | null;
  next_attempt_at: string | null;
}
