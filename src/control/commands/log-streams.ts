import {
  contentTypeOf,
  type LogStream,
  type LogStreamCreate,
  type LogStreamPatch,
  type LogStreamSecret,
  type LogStreamView,
  mostLogStreams,
} from "../../model/log-stream.ts";
import { type PageQuery, pageOf } from "../../model/page.ts";
import { Problem } from "../../model/problem.ts";
import { shown } from "../../model/shown.ts";
import type { CommandContext, Input } from "../command.ts";
import type { Draft } from "../tables.ts";
import { timeOf } from "../time.ts";

type Id = Input<"id", unknown>;

/** How far a stream has come is the logbook's to tell. */
export const logStreamCommands = {
  get_log_streams({ draft }: CommandContext, { query }: Input<never, PageQuery>) {
    const { items, ...page } = pageOf(draft.rows("log_stream"), query);
    return { log_streams: items.map((stream) => viewOf(draft, stream)), ...page };
  },

  create_log_stream(context: CommandContext, { body }: Input<never, unknown, LogStreamCreate>) {
    const { draft, at, newId } = context;
    if (draft.all("log_stream").length >= mostLogStreams) {
      throw new Problem("log_stream_limit_exceeded", `A tenant may have ${mostLogStreams}.`);
    }
    const { sink, start_from, ...fields } = body;
    const { http_authorization: _, http_custom_headers: __, ...address } = sink;
    const stream: LogStream = {
      id: newId("lst"),
      ...fields,
      sink: { ...address, http_content_type: sink.http_content_type ?? contentTypeOf(sink.http_content_format) },
      ...(start_from === undefined ? {} : { start_from: timeOf(start_from, "invalid_body", "start_from") }),
      activated_at: at,
      created_at: at,
      updated_at: at,
    };
    return store(context, stream, toldOf({}, sink));
  },

  get_log_stream({ draft }: CommandContext, { params }: Id) {
    return viewOf(draft, find(draft, params.id));
  },

  update_log_stream(context: CommandContext, { params, body }: Input<"id", unknown, LogStreamPatch>) {
    const { draft, at } = context;
    const before = find(draft, params.id);
    const { sink: given = {}, ...changes } = body;
    const { http_authorization: _, http_custom_headers: __, ...address } = given;
    const told = draft.get("stream_secret", before.id)?.sink ?? {};
    const after: LogStream = {
      ...before,
      ...changes,
      sink: { ...before.sink, ...address },
      // Whoever leads it elsewhere, or says that it is to go on, wants it tried again.
      ...(body.status === "active" || body.sink !== undefined ? { activated_at: at } : {}),
      updated_at: at,
    };
    const kept = Object.keys(told).filter((name) => given[name as keyof typeof given] === undefined);
    if (originOf(after) !== originOf(before) && kept.length > 0) {
      // Whoever may lead a stream elsewhere must not learn there what the receiver was told.
      const right = "must be sent again, or null or an empty list, when http_endpoint leads to another origin";
      throw new Problem("invalid_body", `${kept.map((name) => `sink.${name}`).join(", ")}: ${right}.`);
    }
    return store(context, after, toldOf(told, given));
  },

  delete_log_stream({ draft }: CommandContext, { params }: Id) {
    draft.remove("log_stream", params.id);
    draft.remove("stream_secret", params.id);
  },
};

function find(draft: Draft, id: string): LogStream {
  const stream = draft.get("log_stream", id);
  if (stream === undefined) throw new Problem("log_stream_not_found");
  return stream;
}

function store({ draft, tenant }: CommandContext, stream: LogStream, told: LogStreamSecret["sink"]): LogStreamView {
  const fault = tenant.refusedAddresses?.[stream.sink.http_endpoint];
  if (fault !== undefined) throw new Problem("invalid_body", `sink.http_endpoint: ${fault}.`);
  const namesake = draft.all("log_stream").find(({ id, name }) => name === stream.name && id !== stream.id);
  if (namesake !== undefined) throw new Problem("log_stream_name_taken", `It is ${namesake.id}.`);
  draft.put("log_stream", stream);
  if (Object.keys(told).length === 0) draft.remove("stream_secret", stream.id);
  else draft.put("stream_secret", { id: stream.id, sink: told });
  return viewOf(draft, stream);
}

function originOf({ sink }: LogStream): string | null {
  return URL.canParse(sink.http_endpoint) ? new URL(sink.http_endpoint).origin : null;
}

/** What is told of `given` on top of `told`; null and an empty list take away. */
function toldOf(told: LogStreamSecret["sink"], given: NonNullable<LogStreamPatch["sink"]>): LogStreamSecret["sink"] {
  const { http_authorization = told.http_authorization, http_custom_headers = told.http_custom_headers } = given;
  return {
    ...(http_authorization == null ? {} : { http_authorization }),
    ...(http_custom_headers?.length ? { http_custom_headers } : {}),
  };
}

function viewOf(draft: Draft, stream: LogStream): LogStreamView {
  const { http_authorization, http_custom_headers = [] } = draft.get("stream_secret", stream.id)?.sink ?? {};
  const names = http_custom_headers.map(({ header }) => ({ header }));
  const sink = { ...stream.sink, has_authorization: http_authorization !== undefined, http_custom_headers: names };
  return { ...shown("log_stream", stream), sink };
}
