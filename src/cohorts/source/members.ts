/** A source's answer as batches of member ids, whatever its size: nothing is held but the piece at hand. */
import type { CohortFormat } from "../../model/cohort.ts";
import { createAmplitudeScanner } from "./amplitude-members.ts";
import { createRowScanner } from "./csv-rows.ts";
import { createElementScanner, type ElementScanner, SourceSyntaxError } from "./json-elements.ts";

/** Longer ones are skipped: they are no ids. */
export const longestIdBytes = 1_024;
const longestLine = 64 * 1024;
const defaultField = "id";

export interface SourceForm {
  format: CohortFormat;
  /** Where a line is more than an id: the column or field that holds it. */
  field?: string | undefined;
}

/** Filled while members are read. */
export interface Tally {
  /** Elements, lines or rows so far. */
  read: number;
  /** Those of them that held no usable id. */
  skipped: number;
}

/** Decodes, scans and reads ids. @throws {SourceSyntaxError} where the text is not of its format; what the stream throws */
export async function* readMembers(
  stream: ReadableStream<Uint8Array>,
  { format, field = defaultField }: SourceForm,
  tally: Tally,
): AsyncGenerator<string[]> {
  const scan = scannerOf(format, field);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  const usable = (ids: readonly unknown[]): string[] =>
    ids.flatMap((value) => {
      tally.read++;
      const id = idOf(value);
      if (id === null) tally.skipped++;
      return id ?? [];
    });
  for await (const chunk of stream) yield usable(scan.push(decode(decoder, chunk)));
  const rest = scan.push(decode(decoder));
  yield usable([...rest, ...scan.end()]);
  if (tally.read > 0 && tally.skipped === tally.read) {
    throw new SourceSyntaxError(`none of ${tally.read} entries holds an id; is it the field ${JSON.stringify(field)}?`);
  }
}

interface Scanner {
  push(text: string): unknown[];
  end(): unknown[];
}

function scannerOf(format: CohortFormat, field: string): Scanner {
  if (format === "csv") return csvScanner(field);
  if (format === "ndjson") return lineScanner(field);
  const scanner: ElementScanner = format === "amplitude" ? createAmplitudeScanner() : createElementScanner();
  let count = 0;
  return {
    push: (text) => scanner.push(text).map((element) => pickId(parse(element, `element ${++count}`), field)),
    end() {
      scanner.end();
      return [];
    },
  };
}

function lineScanner(field: string): Scanner {
  let rest = "";
  let line = 0;
  const read = (text: string) => {
    line++;
    return text.trim() === "" ? [] : [pickId(parse(text, `line ${line}`), field)];
  };
  return {
    push(text) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > longestLine) {
        throw new SourceSyntaxError(`line ${line + 1}: more than ${longestLine} characters`);
      }
      return lines.flatMap(read);
    },
    end: () => read(rest),
  };
}

function csvScanner(field: string): Scanner {
  const scanner = createRowScanner();
  let column: number | undefined;
  const read = (rows: string[][]) =>
    rows.flatMap((row) => {
      if (column !== undefined) return [row[column]];
      // A table of one column needs no name to be told apart.
      column = row.length === 1 ? 0 : row.indexOf(field);
      if (column >= 0) return [];
      throw new SourceSyntaxError(`line 1: no column ${JSON.stringify(field)}, only: ${row.join(", ")}`);
    });
  return { push: (text) => read(scanner.push(text)), end: () => read(scanner.end()) };
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SourceSyntaxError(`${where}: is not JSON: ${text.slice(0, 80)}`);
  }
}

function pickId(value: unknown, field: string): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined;
}

function idOf(value: unknown): string | null {
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  if (typeof value !== "string" || value === "") return null;
  const isShort = value.length * 3 <= longestIdBytes || new TextEncoder().encode(value).length <= longestIdBytes;
  return isShort ? value : null;
}

/** Without `chunk`: the end of the text. */
function decode(decoder: TextDecoder, chunk?: Uint8Array): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch {
    throw new SourceSyntaxError("is not UTF-8");
  }
}
