/** A client on a bare socket: sends exactly the bytes it is given, keeps the answer as it came. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  CutShortError,
  createReader,
  type Framing,
  framingOf,
  type Head,
  type RawReader,
  readBody,
} from "./raw-message.ts";

export interface RawAnswer {
  /** The 1xx before the answer. */
  informational: Head[];
  head: Head;
  status: number;
  framing: Framing;
  body: Buffer;
  /** False when the body ended before it was whole. */
  isWhole: boolean;
}

export interface RawConnection {
  socket: Socket;
  reader: RawReader;
  write(bytes: Buffer | string): void;
  /** Goes away at once. */
  abandon(): void;
}

export async function openConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const reader = createReader(socket);
  await once(socket, "connect");
  return {
    socket,
    reader,
    write: (bytes) => void socket.write(bytes),
    abandon: () => void socket.destroy(),
  };
}

/** How an answer's body is delimited (RFC 9112 §6.3). */
function answerFraming(head: Head, status: number, method: string): { framing: Framing; length: number } {
  if (method === "HEAD" || status === 204 || status === 304) return { framing: "none", length: 0 };
  const framed = framingOf(head);
  return framed.framing === "none" ? { framing: "close", length: 0 } : framed;
}

/** The answer's head, the 1xx before it passed over and kept. @throws CutShortError */
export async function readAnswerHead(
  reader: RawReader,
  method: string,
): Promise<Omit<RawAnswer, "body" | "isWhole"> & { length: number }> {
  const informational: Head[] = [];
  for (;;) {
    const head = await reader.readHead();
    if (head === null) throw new CutShortError("no answer came");
    const status = Number(head.line.split(" ")[1]);
    if (status < 200 && status !== 101) informational.push(head);
    else return { informational, head, status, ...answerFraming(head, status, method) };
  }
}

export async function readAnswer(reader: RawReader, method: string): Promise<RawAnswer> {
  const { length, ...answer } = await readAnswerHead(reader, method);
  const chunks: Buffer[] = [];
  let isWhole = true;
  try {
    for await (const chunk of readBody(reader, answer.framing, length)) chunks.push(chunk);
  } catch (error) {
    if (!(error instanceof CutShortError)) throw error;
    isWhole = false;
  }
  return { ...answer, body: Buffer.concat(chunks), isWhole };
}

/** One request on a connection of its own. */
export async function sendRaw(url: string, method: string, ...bytes: readonly (Buffer | string)[]): Promise<RawAnswer> {
  const connection = await openConnection(url);
  try {
    for (const each of bytes) connection.write(each);
    return await readAnswer(connection.reader, method);
  } finally {
    connection.abandon();
  }
}
