/** A source's answer, or a pushed list, as batches of member ids: whatever its size, no more is held than a piece. */

import { addressOf } from "../../model/allowed-hosts.ts";
import type { CohortFormat } from "../../model/cohort.ts";
import { amplitudeForm } from "./amplitude-members.ts";
import { createRowScanner } from "./csv-rows.ts";
import { createArrayScanner, plainArray } from "./json-array.ts";
import { createLineScanner } from "./json-lines.ts";
import { SourceError } from "./source-error.ts";
import { type SourceLimits, sourceLimits } from "./source-limits.ts";

/** Longer ones are skipped: they are no ids. */
export const longestIdBytes = 1_024;
const defaultField = "id";
/** However small the chunks of a stream are, this much is read at once. */
const pieceBytes = 64 * 1024;

export interface SourceForm {
  format: CohortFormat;
  /** Where an entry is more than an id: the column or field that holds it. */
  field?: string | undefined;
  /** Told in errors, without its query. */
  url?: string | undefined;
}

/** Filled while members are read. */
export interface Tally {
  bytes: number;
  /** Elements, lines or rows. */
  read: number;
  /** Those of them that held no usable id. */
  skipped: number;
  /** What Amplitude's answer says of itself, once it has been read to its end. */
  amplitudeLastModified?: number;
}

export const createTally = (): Tally => ({ bytes: 0, read: 0, skipped: 0 });

/**
 * Ids in their order, each as often as it is there. The list is whole only when the last batch was followed by no error.
 * @throws {SourceError} where the text is not of its format or beyond the limits; and what the stream throws
 */
export async function* readMembers(
  stream: AsyncIterable<Uint8Array>,
  form: SourceForm,
  tally: Tally,
  limits: Pick<SourceLimits, "bytes" | "members"> = sourceLimits,
): AsyncGenerator<string[]> {
  const fail = (code: "empty" | "syntax" | "too_large" | "too_many_members", what: string): never => {
    throw new SourceError(code, form.url === undefined ? what : `${addressOf(form.url)}: ${what}`);
  };
  const scanner = scannerOf(form, tally);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

  let passed = 0;
  function decode(piece?: Uint8Array): string {
    const from = passed;
    passed += piece?.length ?? 0;
    try {
      return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
    } catch {
      throw new SourceError("syntax", `is not UTF-8, at one of the bytes ${from} to ${passed}`);
    }
  }

  /** A piece of the text; without one, its end. */
  function read(piece?: Uint8Array): string[] {
    let entries: unknown[];
    try {
      entries = scanner.push(decode(piece));
      if (piece === undefined) for (const entry of scanner.end()) entries.push(entry);
    } catch (error) {
      if (error instanceof SourceError && error.code === "syntax") fail("syntax", error.message);
      throw error;
    }
    const ids: string[] = [];
    for (const entry of entries) {
      const id = idOf(entry);
      if (id !== null) ids.push(id);
    }
    tally.read += entries.length;
    tally.skipped += entries.length - ids.length;
    if (tally.read > limits.members) fail("too_many_members", `more than ${limits.members} members`);
    return ids;
  }

  const piece = new Uint8Array(pieceBytes);
  let filled = 0;
  for await (const chunk of stream) {
    tally.bytes += chunk.length;
    if (tally.bytes > limits.bytes) fail("too_large", `more than ${limits.bytes} bytes, uncompressed`);
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + pieceBytes - filled);
      piece.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < pieceBytes) continue;
      filled = 0;
      yield read(piece);
    }
  }
  if (tally.bytes === 0) fail("empty", "an empty answer, which is no empty list");
  if (filled > 0) yield read(piece.subarray(0, filled));
  yield read();
  if (tally.read > 0 && tally.skipped === tally.read) {
    const { field = defaultField } = form;
    fail("syntax", `none of ${tally.read} entries holds an id; is it the field ${JSON.stringify(field)}?`);
  }
}

interface Scanner {
  push(text: string): unknown[];
  end(): unknown[];
}

function scannerOf({ format, field }: SourceForm, tally: Tally): Scanner {
  if (format === "csv") return csvScanner(field);
  const pick = (entries: unknown[]) => pickIds(entries, field ?? defaultField);
  if (format === "ndjson") {
    const lines = createLineScanner();
    return { push: (text) => pick(lines.push(text)), end: () => pick(lines.end()) };
  }
  const learn = (lastModified: number) => {
    tally.amplitudeLastModified = lastModified;
  };
  const array = createArrayScanner(format === "amplitude" ? amplitudeForm(learn) : plainArray);
  return {
    push: (text) => pick(array.push(text)),
    end() {
      array.end();
      return [];
    },
  };
}

/** In place, for there are many. */
function pickIds(entries: unknown[], field: string): unknown[] {
  for (let at = 0; at < entries.length; at++) {
    const entry = entries[at];
    if (typeof entry !== "object" || entry === null) continue;
    entries[at] = Object.hasOwn(entry, field) ? (entry as Record<string, unknown>)[field] : undefined;
  }
  return entries;
}

function csvScanner(field: string | undefined): Scanner {
  const scanner = createRowScanner();
  let header: string[] | undefined;
  let column = -1;
  let hasRows = false;
  const read = (rows: string[][]): unknown[] => {
    let from = 0;
    if (header === undefined && rows[0] !== undefined) {
      header = rows[0].map((name) => name.trim());
      column = columnOf(header, field);
      from = 1;
    }
    const ids: unknown[] = [];
    for (let at = from; at < rows.length; at++) ids.push(rows[at]?.[column]);
    hasRows ||= ids.length > 0;
    return ids;
  };
  return {
    push: (text) => read(scanner.push(text)),
    end() {
      const ids = read(scanner.end());
      // A lone word may be an error's; a header alone is an empty cohort only where it is one beyond doubt.
      if (!hasRows && !header?.includes(field ?? defaultField)) {
        throw new SourceError("syntax", `line 1: no column ${JSON.stringify(field ?? defaultField)}, and no rows`);
      }
      return ids;
    },
  };
}

/** @throws {SourceError} */
function columnOf(names: readonly string[], field: string | undefined): number {
  const column = names.indexOf(field ?? defaultField);
  if (column >= 0) return column;
  // A table of one column needs no name to be told apart; an error page has one too.
  if (names.length === 1 && field === undefined && /^[\w .-]{1,64}$/.test(names[0] ?? "")) return 0;
  const shown = names.slice(0, 20).map((name) => name.slice(0, 40));
  throw new SourceError(
    "syntax",
    `line 1: no column ${JSON.stringify(field ?? defaultField)}, only ${shown.join(", ")}`,
  );
}

function idOf(value: unknown): string | null {
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  if (typeof value !== "string" || value === "" || !value.isWellFormed()) return null;
  const isShort = value.length * 3 <= longestIdBytes || new TextEncoder().encode(value).length <= longestIdBytes;
  return isShort ? value : null;
}
