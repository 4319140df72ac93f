/** Rows of CSV (RFC 4180) out of a text that comes in pieces: quoted fields may hold commas, quotes and line breaks. */
import { SourceError } from "./source-error.ts";

const longestRow = 64 * 1024;

const quote = 0x22;
const comma = 0x2c;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export interface RowScanner {
  /** Rows that ended within this piece; empty lines are none. @throws {SourceError} naming the line */
  push(piece: string): string[][];
  /** The last row, where no line break ended it. @throws {SourceError} */
  end(): string[][];
}

export function createRowScanner(): RowScanner {
  /** The row that has no end yet, from its first character. */
  let open = "";
  let line = 1;

  const fail = (what: string): never => {
    throw new SourceError("syntax", `line ${line}: ${what}`);
  };

  /** Where the field ends that begins at `from`; -1 when `text` ends before it does. */
  function endOfField(text: string, from: number): number {
    if (text.charCodeAt(from) !== quote) {
      for (let at = from; at < text.length; at++) {
        const code = text.charCodeAt(at);
        if (code === comma || code === lineFeed || code === carriageReturn) return at;
        if (code === quote) fail("a quote within a field that has none around it");
      }
      return -1;
    }
    for (let close = text.indexOf('"', from + 1); close >= 0; close = text.indexOf('"', close + 2)) {
      if (close + 1 === text.length) return -1;
      const code = text.charCodeAt(close + 1);
      if (code === comma || code === lineFeed || code === carriageReturn) return close + 1;
      if (code !== quote) fail(`${JSON.stringify(text[close + 1])} after a closing quote`);
    }
    return -1;
  }

  function takeRows(text: string): string[][] {
    const rows: string[][] = [];
    let start = 0;
    while (start < text.length) {
      const row: string[] = [];
      let from = start;
      let breaks = 1;
      for (;;) {
        const end = endOfField(text, from);
        if (end < 0) {
          open = text.slice(start);
          return rows;
        }
        const isQuoted = text.charCodeAt(from) === quote;
        const field = isQuoted ? text.slice(from + 1, end - 1).replaceAll('""', '"') : text.slice(from, end);
        row.push(field);
        if (isQuoted) breaks += field.match(/\r\n?|\n/g)?.length ?? 0;
        from = end + 1;
        if (text.charCodeAt(end) === comma) continue;
        if (text.charCodeAt(end) === carriageReturn) {
          // What follows says whether this was the whole line break.
          if (from === text.length) {
            open = text.slice(start);
            return rows;
          }
          if (text.charCodeAt(from) === lineFeed) from++;
        }
        if (row.length > 1 || field !== "" || isQuoted) rows.push(row);
        break;
      }
      line += breaks;
      start = from;
    }
    open = "";
    return rows;
  }

  return {
    push(piece) {
      const rows = takeRows(open + piece);
      if (open.length > longestRow) fail(`a row of more than ${longestRow} characters`);
      return rows;
    },
    end() {
      if (open === "") return [];
      const rows = takeRows(`${open}\n`);
      if (open !== "") fail("ends within quotes");
      return rows;
    },
  };
}
