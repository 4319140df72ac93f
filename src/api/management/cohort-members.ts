/** Members of cohorts, in and out: streamed, for there may be millions. */
import { within } from "../../alarms/deadline.ts";
import type { PushRefusal } from "../../cohorts/pusher.ts";
import { createArrayScanner } from "../../cohorts/source/json-array.ts";
import type { CohortFormat } from "../../model/cohort.ts";
import { defaultTake } from "../../model/page.ts";
import { Problem } from "../../model/problem.ts";
import { unknown } from "./cohort-status.ts";
import { cohortStep } from "./cohort-step.ts";

const giveUpMs = 5_000;
const empty = "The body is empty; an empty list is [], or in CSV its header.";

/** By media type. */
export const uploadFormats: Readonly<Record<string, CohortFormat>> = {
  "application/json": "json",
  "application/x-ndjson": "ndjson",
  "application/ndjson": "ndjson",
  "application/jsonl": "ndjson",
  "text/csv": "csv",
};

/** The first of them as JSON; all, one a line, to who accepts that. */
export const listMembers = cohortStep(async ({ cohorts, params, query, request }) => {
  const listing = await within(giveUpMs, cohorts.list(params.id ?? ""));
  const batches = listing === null ? noBatches() : readListing(listing.body);
  if (/\bapplication\/(x-)?ndjson\b/i.test(request.headers.get("accept") ?? "")) return { lines: linesOf(batches) };
  const { take = defaultTake } = query as { take?: number };
  const members: string[] = [];
  for await (const ids of batches) {
    members.push(...ids.slice(0, take - members.length));
    if (members.length >= take) break;
  }
  return { json: { members, size: listing?.size ?? 0 } };
});

export const uploadMembers = (mode: "add" | "remove" | "replace") =>
  cohortStep(async ({ cohorts, params, query, request }) => {
    const { headers, body } = request;
    const [type = ""] = (headers.get("content-type") ?? "").split(";");
    const format = uploadFormats[type.trim().toLowerCase()];
    if (format === undefined) throw unsupported();
    if (!/^(identity|gzip)?$/i.test(headers.get("content-encoding") ?? "")) throw unsupported();
    if (body === null) throw new Problem("invalid_members", empty);
    const { field } = query as { field?: string };
    const cohort = params.id ?? "";
    const answer = await cohorts.push({ cohort, mode, format, body, ...(field === undefined ? {} : { field }) });
    if (!answer.ok) throw refused(answer.code, answer.message);
    const { added, removed, skipped, status } = answer;
    return { json: { added, removed, skipped, size: status.size } };
  });

function unsupported(): Problem {
  const types = Object.keys(uploadFormats).join(", ");
  return new Problem("unsupported_media_type", undefined, `Send one of ${types}, as it is or with gzip.`);
}

function refused(code: PushRefusal, message: string): Problem {
  if (code === "cohort_not_found") return unknown();
  if (code === "cohort_not_pushed") return new Problem(code);
  if (code === "empty") return new Problem("invalid_members", empty);
  const isTooLarge = code === "too_large" || code === "too_many_members";
  return new Problem(isTooLarge ? "body_too_large" : "invalid_members", `${message}.`);
}

async function* noBatches(): AsyncGenerator<string[]> {}

/** The cohort object gives them in the one form that it has: Amplitude's, made by itself. */
async function* readListing(body: ReadableStream<Uint8Array>): AsyncGenerator<string[]> {
  const opening = '"memberIds":[';
  const scanner = createArrayScanner({
    findStart: (before) => (before.includes(opening) ? before.indexOf(opening) + opening.length : null),
    check() {},
  });
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for await (const chunk of body) yield scanner.push(decoder.decode(chunk, { stream: true })) as string[];
  scanner.end();
}

function linesOf(batches: AsyncGenerator<string[]>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      for (;;) {
        const { done, value: ids } = await batches.next();
        if (done) return controller.close();
        if (ids.length === 0) continue;
        return controller.enqueue(encoder.encode(ids.map((id) => `${JSON.stringify(id)}\n`).join("")));
      }
    },
    async cancel() {
      await batches.return(undefined);
    },
  });
}
