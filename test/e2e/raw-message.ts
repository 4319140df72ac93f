/** HTTP/1.1 messages (RFC 9112) as bytes on a socket: nothing is normalised, so that nothing can hide. */
import type { Socket } from "node:net";

export interface Head {
  /** The request or status line. */
  line: string;
  /** As they stood on the wire, a character a byte (latin1). */
  headers: [name: string, value: string][];
}

export type Framing = "none" | "length" | "chunked" | "close";

/** The peer went away before the message was whole. */
export class CutShortError extends Error {}

export interface RawReader {
  /** The next bytes, however many; null at the end. */
  read(): Promise<Buffer | null>;
  /** @throws CutShortError */
  readExactly(length: number): Promise<Buffer>;
  /** Null when the peer closed instead of sending one. @throws CutShortError */
  readHead(): Promise<Head | null>;
  /** A line without its CRLF. @throws CutShortError */
  readLine(): Promise<string>;
  /** Settles when the peer is gone, politely or not. */
  ended: Promise<void>;
}

export function createReader(socket: Socket): RawReader {
  let held: Buffer = Buffer.alloc(0);
  let arrived: Buffer[] = [];
  let isOver = false;
  let wake = () => {};
  let finish = () => {};
  const ended = new Promise<void>((settle) => {
    finish = settle;
  });
  socket.on("data", (bytes: Buffer) => {
    arrived.push(bytes);
    wake();
  });
  const end = () => {
    isOver = true;
    finish();
    wake();
  };
  // A reset is an end like another here: what counts is what came before it.
  socket.on("end", end).on("close", end).on("error", end);

  /** Whether there was more. */
  async function fill(): Promise<boolean> {
    while (arrived.length === 0 && !isOver) {
      await new Promise<void>((settle) => {
        wake = settle;
      });
    }
    if (arrived.length === 0) return false;
    held = Buffer.concat([held, ...arrived]);
    arrived = [];
    return true;
  }

  function take(length: number): Buffer {
    const taken = held.subarray(0, length);
    held = held.subarray(length);
    return taken;
  }

  async function readThrough(mark: string): Promise<Buffer | null> {
    let at = held.indexOf(mark);
    while (at < 0) {
      if (!(await fill())) {
        if (held.length === 0) return null;
        throw new CutShortError(`the end came within ${JSON.stringify(held.toString("latin1").slice(0, 80))}`);
      }
      at = held.indexOf(mark);
    }
    return take(at + mark.length);
  }

  return {
    ended,
    async read() {
      if (held.length === 0 && !(await fill())) return null;
      return take(held.length);
    },
    async readExactly(length) {
      const pieces: Buffer[] = [];
      for (let missing = length; missing > 0; ) {
        if (held.length === 0 && !(await fill())) throw new CutShortError(`${missing} of ${length} bytes are missing`);
        const piece = take(Math.min(missing, held.length));
        pieces.push(piece);
        missing -= piece.length;
      }
      return Buffer.concat(pieces);
    },
    async readHead() {
      const bytes = await readThrough("\r\n\r\n");
      return bytes && parseHead(bytes);
    },
    async readLine() {
      const bytes = await readThrough("\r\n");
      if (bytes === null) throw new CutShortError("no line came");
      return bytes.toString("latin1", 0, bytes.length - 2);
    },
  };
}

function parseHead(bytes: Buffer): Head {
  const [line = "", ...fields] = bytes.toString("latin1", 0, bytes.length - 4).split("\r\n");
  const headers = fields.map((field): [string, string] => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon), field.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "")];
  });
  return { line, headers };
}

/** All values of a header, in order. */
export function valuesOf({ headers }: Head, name: string): string[] {
  return headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
}

/** How a request's body is delimited (RFC 9112 §6.3); an answer's depends on more. */
export function framingOf(head: Head): { framing: Framing; length: number } {
  if (valuesOf(head, "transfer-encoding").some((value) => /\bchunked$/i.test(value))) {
    return { framing: "chunked", length: 0 };
  }
  const [length] = valuesOf(head, "content-length");
  return length === undefined ? { framing: "none", length: 0 } : { framing: "length", length: Number(length) };
}

/** The body's bytes as they come, out of their framing. @throws CutShortError */
export async function* readBody(reader: RawReader, framing: Framing, length: number): AsyncGenerator<Buffer, void> {
  if (framing === "length") {
    for (let missing = length; missing > 0; ) {
      const bytes = await reader.read();
      if (bytes === null) throw new CutShortError(`${missing} bytes of ${length} are missing`);
      if (bytes.length > missing) throw new Error(`${bytes.length - missing} bytes more than were announced`);
      missing -= bytes.length;
      yield bytes;
    }
  } else if (framing === "chunked") {
    for (;;) {
      const size = Number.parseInt(await reader.readLine(), 16);
      if (size > 0) yield await reader.readExactly(size);
      // After the last chunk: an empty line, or trailers, which none of the tests sends.
      await reader.readLine();
      if (size === 0) return;
    }
  } else if (framing === "close") {
    for (let bytes = await reader.read(); bytes !== null; bytes = await reader.read()) yield bytes;
  }
}

export async function concatenate(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** A message's first bytes. */
export function headBytes(line: string, headers: readonly (readonly [string, string])[]): Buffer {
  return Buffer.from(`${line}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`, "latin1");
}

/** A body in chunks of the given pieces, the last chunk included. */
export function chunked(...pieces: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat([...pieces.map(chunk), Buffer.from("0\r\n\r\n")]);
}

export function chunk(piece: string | Buffer): Buffer {
  const bytes = typeof piece === "string" ? Buffer.from(piece, "latin1") : piece;
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}
