/** NDJSON: one JSON value a line, out of a text that comes in pieces. Empty lines are none. */
import { blank, describeText } from "./json-elements.ts";
import { SourceError } from "./source-error.ts";

const longestLine = 64 * 1024;

export interface LineScanner {
  /** The values of lines that ended within this piece. @throws {SourceError} naming the line */
  push(piece: string): unknown[];
  /** That of the last line, where no line break ended it. @throws {SourceError} */
  end(): unknown[];
}

export function createLineScanner(): LineScanner {
  let open = "";
  let line = 0;

  function read(text: string, into: unknown[]): void {
    line++;
    if (blank.test(text)) return;
    try {
      into.push(JSON.parse(text));
    } catch {
      throw new SourceError("syntax", `line ${line}: ${describeText(text.trim())}`);
    }
  }

  return {
    push(piece) {
      const text = open + piece;
      const values: unknown[] = [];
      let from = 0;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
        read(text.slice(from, end), values);
        from = end + 1;
      }
      open = text.slice(from);
      if (open.length > longestLine) {
        throw new SourceError("syntax", `line ${line + 1}: more than ${longestLine} characters`);
      }
      return values;
    },
    end() {
      const values: unknown[] = [];
      if (open !== "") read(open, values);
      return values;
    },
  };
}
