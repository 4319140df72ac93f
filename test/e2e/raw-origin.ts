/** An origin on a bare socket: keeps each request as it came, answers with exactly the bytes it is given. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import {
  CutShortError,
  concatenate,
  createReader,
  type Framing,
  framingOf,
  type Head,
  type RawReader,
  readBody,
} from "./raw-message.ts";

export interface Incoming {
  head: Head;
  framing: Framing;
  /** The body as it comes. */
  chunks: AsyncIterable<Buffer>;
  /** The whole body. */
  body(): Promise<Buffer>;
  write(bytes: Buffer | string): void;
  /** For what is no HTTP any more, and for going away. */
  socket: Socket;
  reader: RawReader;
  /** Settles when the other side is gone. */
  gone: Promise<void>;
}

/** A step of an answer: the connection ends here, politely. */
export const hangUp = Symbol("hang up");
export type Step = Buffer | string | typeof hangUp;

export type Answering = (incoming: Incoming) => Promise<void> | void;

export interface Received {
  head: Head;
  framing: Framing;
  body: Buffer;
}

export interface RawOrigin {
  /** Without a trailing slash. */
  url: string;
  host: string;
  /** What is done with requests from now on. */
  answerWith(answering: Answering): void;
  /** Reads each request whole, keeps it, and answers with these bytes. */
  answer(...steps: readonly Step[]): void;
  /** The requests that `answer` kept since this was last called. */
  takeReceived(): Received[];
  /** How many connections were ever opened. */
  connections(): number;
  close(): Promise<void>;
}

export async function startRawOrigin(): Promise<RawOrigin> {
  let answering: Answering = ({ socket }) => void socket.destroy();
  let received: Received[] = [];
  let connections = 0;
  const sockets = new Set<Socket>();

  async function serve(socket: Socket): Promise<void> {
    const reader = createReader(socket);
    for (;;) {
      const head = await reader.readHead();
      if (head === null) return void socket.end();
      const { framing, length } = framingOf(head);
      const chunks = readBody(reader, framing, length);
      await answering({
        head,
        framing,
        chunks,
        body: () => concatenate(chunks),
        write: (bytes) => void socket.write(bytes),
        socket,
        reader,
        gone: reader.ended,
      });
    }
  }

  const server = createServer({ noDelay: true }, (socket) => {
    connections++;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serve(socket).catch((error: unknown) => {
      socket.destroy();
      // A client that goes away is some test's subject; anything else is a fault of the test.
      if (!(error instanceof CutShortError)) console.error("raw origin:", error);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  return {
    url: `http://${host}`,
    host,
    answerWith(next) {
      answering = next;
    },
    answer(...steps) {
      answering = async ({ head, framing, body, write, socket }) => {
        received.push({ head, framing, body: await body() });
        for (const step of steps) {
          if (step === hangUp) socket.end();
          else write(step);
        }
      };
    },
    takeReceived() {
      const taken = received;
      received = [];
      return taken;
    },
    connections: () => connections,
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
