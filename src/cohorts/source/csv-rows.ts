/** Rows of CSV (RFC 4180) out of a text that comes in pieces: quoted fields may hold commas, quotes and line breaks. */
import { SourceSyntaxError } from "./json-elements.ts";

const longestRow = 64 * 1024;

export interface RowScanner {
  /** Rows that ended within this piece; empty lines are none. @throws {SourceSyntaxError} naming the line */
  push(piece: string): string[][];
  /** The last row, where no line break ended it. @throws {SourceSyntaxError} */
  end(): string[][];
  /** Lines begun so far, for errors. */
  line(): number;
}

export function createRowScanner(): RowScanner {
  let line = 1;
  let row: string[] = [];
  let field = "";
  /** `open`: within quotes. `closed`: after them. */
  let quotes: "none" | "open" | "closed" = "none";
  let size = 0;
  let first = true;
  /** A quote in quotes, at a piece's end: the next character says what it meant. */
  let pendingReturn = false;

  function endField(): void {
    row.push(field);
    field = "";
    quotes = "none";
  }
  function endRow(into: string[][]): void {
    const isEmpty = row.length === 0 && field === "" && quotes === "none";
    if (!isEmpty) {
      endField();
      into.push(row);
    }
    row = [];
    size = 0;
    line++;
  }

  function take(character: string, into: string[][]): void {
    if (pendingReturn) {
      pendingReturn = false;
      if (character === "\n") return;
    }
    if (++size > longestRow) throw new SourceSyntaxError(`line ${line}: a row of more than ${longestRow} characters`);
    if (quotes === "open") {
      if (character === '"') quotes = "closed";
      else field += character;
      return;
    }
    if (character === ",") endField();
    else if (character === "\n" || character === "\r") {
      pendingReturn = character === "\r";
      endRow(into);
    } else if (character === '"') {
      if (quotes === "none" && field !== "") {
        throw new SourceSyntaxError(`line ${line}: a quote within a field that has none around it`);
      }
      // Closed and opened again: two quotes within quotes are one.
      if (quotes === "closed") field += '"';
      quotes = "open";
    } else if (quotes === "closed") {
      throw new SourceSyntaxError(`line ${line}: ${JSON.stringify(character)} after a closing quote`);
    } else field += character;
  }

  return {
    line: () => line,
    push(piece) {
      const rows: string[][] = [];
      const text = first && piece.startsWith("\uFEFF") ? piece.slice(1) : piece;
      if (piece !== "") first = false;
      for (const character of text) take(character, rows);
      return rows;
    },
    end() {
      if (quotes === "open") throw new SourceSyntaxError(`line ${line}: ends within quotes`);
      const rows: string[][] = [];
      endRow(rows);
      return rows;
    },
  };
}
