/** Asks a source for a cohort's members: conditionally, without following redirects, and never for longer than allowed. */

import { addressOf, findAddressFault } from "../../model/allowed-hosts.ts";
import type { CohortCredentials, CohortSource } from "../../model/cohort.ts";
import { createDeadline, type Deadline } from "./deadline.ts";
import { unzip } from "./gunzip.ts";
import { SourceError, type SourceErrorCode } from "./source-error.ts";
import { type SourceLimits, sourceLimits } from "./source-limits.ts";

type UrlSource = Extract<CohortSource, { type: "url" }>;

/** What the last answer that was read to its end said of itself. Void when the source is another, or read otherwise. */
export interface Validators {
  etag?: string;
  lastModified?: string;
  /** Milliseconds; found among the members, see `Tally`. */
  amplitudeLastModified?: number;
}

export interface SourceRequest {
  source: UrlSource;
  credentials?: CohortCredentials | null | undefined;
  /** Of `parseAllowedHosts`. */
  allowed: readonly string[];
  conditional?: Validators;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  limits?: SourceLimits;
  signal?: AbortSignal | undefined;
}

/** Uncompressed, to be read once. A chunk is good until the next is asked for; leaving the loop ends the request. */
export interface ByteStream extends AsyncIterable<Uint8Array> {
  /** For whoever does not begin to read. */
  cancel(): void;
}

export type OpenedSource = { unchanged: true } | { unchanged: false; stream: ByteStream; validators: Validators };

const chunkBytes = 64 * 1024;
/** What the platform decodes, or what is told by its first bytes. */
const knownEncodings = ["", "identity", "gzip", "x-gzip", "br"];

/** @throws {SourceError} as does the stream */
export async function openSource(request: SourceRequest): Promise<OpenedSource> {
  const { source, allowed, conditional = {}, fetch, limits = sourceLimits, signal } = request;
  const where = addressOf(source.url);
  const fail = (code: SourceErrorCode, what: string, retryAfterMs?: number): never => {
    throw new SourceError(code, `${where}: ${what}`, retryAfterMs);
  };
  const fault = findAddressFault(source.url, allowed, "COHORT_HOSTS");
  if (fault !== null) fail("forbidden_address", fault);
  const headers = headersOf(request, where);

  const deadline = createDeadline(where, limits, signal);
  try {
    const url = targetOf(source, conditional, limits);
    const init = { headers, redirect: "manual", cache: "no-store", signal: deadline.signal } as const;
    const response = await deadline.within(fetch(url, init)).catch((error: unknown): never => {
      if (error instanceof SourceError) throw error;
      return fail("unreachable", `no answer: ${reasonOf(error)}`);
    });
    if (response.status === 304 || response.status === 204) {
      if (!isConditional(request)) fail("bad_answer", `HTTP ${response.status} to a request without conditions`);
      deadline.end();
      return { unchanged: true };
    }
    if (response.status !== 200) throw refusalOf(response, request, where, limits);
    const encoding = response.headers.get("content-encoding")?.trim().toLowerCase() ?? "";
    if (!knownEncodings.includes(encoding)) {
      fail("bad_answer", `Content-Encoding must be gzip, not ${encoding.slice(0, 80)}`);
    }
    if (Number(response.headers.get("content-length") ?? 0) > limits.bytes) {
      fail("too_large", `more than ${limits.bytes} bytes`);
    }
    const body: ReadableStream<Uint8Array> = response.body ?? fail("empty", "an answer without a body");
    return { unchanged: false, stream: streamOf(body, deadline, where), validators: validatorsOf(response.headers) };
  } catch (error) {
    deadline.end();
    throw error;
  }
}

/** Amplitude's API takes its conditions in the query. */
function targetOf(
  { url, format }: UrlSource,
  { amplitudeLastModified }: Validators,
  { members }: SourceLimits,
): string {
  const target = new URL(url);
  if (format !== "amplitude") return target.href;
  if (!target.searchParams.has("maxCohortSize")) target.searchParams.set("maxCohortSize", String(members));
  target.searchParams.delete("lastModified");
  if (amplitudeLastModified !== undefined) target.searchParams.set("lastModified", String(amplitudeLastModified));
  return target.href;
}

function isConditional({ source, conditional = {} }: SourceRequest): boolean {
  const { etag, lastModified, amplitudeLastModified } = conditional;
  return (etag ?? lastModified ?? (source.format === "amplitude" ? amplitudeLastModified : undefined)) !== undefined;
}

function headersOf({ credentials, conditional = {} }: SourceRequest, where: string): Headers {
  const headers = new Headers({ "accept-encoding": "gzip", "user-agent": "Vestibule" });
  if (conditional.etag !== undefined) headers.set("if-none-match", conditional.etag);
  if (conditional.lastModified !== undefined) headers.set("if-modified-since", conditional.lastModified);
  if (credentials) {
    try {
      headers.set("authorization", authorizationOf(credentials));
    } catch {
      // The platform's own message would quote the secret.
      throw new SourceError("forbidden_address", `${where}: the credentials hold characters that no header may`);
    }
  }
  return headers;
}

function authorizationOf(credentials: CohortCredentials): string {
  if (credentials.type === "bearer") return `Bearer ${credentials.token}`;
  const bytes = new TextEncoder().encode(`${credentials.username}:${credentials.password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function validatorsOf(headers: Headers): Validators {
  // Any other is not taken back as a header.
  const plain = (name: string) => /^[\x21-\x7e][\x20-\x7e]{0,1023}$/.exec(headers.get(name) ?? "")?.[0];
  const etag = plain("etag");
  const lastModified = plain("last-modified");
  return { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) };
}

function refusalOf(
  { status, headers }: Response,
  { source, credentials }: SourceRequest,
  where: string,
  { members }: SourceLimits,
): SourceError {
  const http = `${where}: HTTP ${status}`;
  if (status >= 300 && status < 400) {
    const location = headers.get("location");
    const target =
      location !== null && URL.canParse(location, source.url) ? addressOf(new URL(location, source.url).href) : "";
    return new SourceError("redirect", `${http}: redirects are not followed${target && ` (to ${target})`}`);
  }
  if (status === 401 || status === 403) {
    return new SourceError(
      "bad_answer",
      `${http}: ${credentials ? "the credentials are refused" : "no credentials are given"}`,
    );
  }
  if (status === 413 && source.format === "amplitude") {
    return new SourceError("too_many_members", `${http}: the cohort has more than ${members} members`);
  }
  return new SourceError("bad_answer", http, retryAfterOf(headers));
}

/** The form with seconds; that with a date is rare, and needs a clock. */
function retryAfterOf(headers: Headers): number | undefined {
  const text = headers.get("retry-after") ?? "";
  return /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : undefined;
}

function streamOf(body: ReadableStream<Uint8Array>, deadline: Deadline, where: string): ByteStream {
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      yield* unzip(readChunks(body, deadline, where), where);
    } finally {
      deadline.end();
    }
  }
  return { [Symbol.asyncIterator]: read, cancel: deadline.end };
}

/** Into one large buffer again and again: the platform's own are of 4 KiB, and new ones wait for long to be collected. */
async function* readChunks(
  body: ReadableStream<Uint8Array>,
  deadline: Deadline,
  where: string,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(chunkBytes);
  let passed = 0;
  for (;;) {
    const read = reader.read(new Uint8Array(buffer, 0, chunkBytes));
    const { done, value } = await deadline.within(read).catch((error: unknown): never => {
      if (error instanceof SourceError) throw error;
      throw new SourceError("interrupted", `${where}: broke off after ${passed} bytes: ${reasonOf(error)}`);
    });
    if (done) return;
    passed += value.length;
    yield value;
    buffer = value.buffer as ArrayBuffer;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
}
