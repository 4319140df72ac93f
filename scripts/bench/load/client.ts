/** Load over a few kept-alive connections, each asking anew as soon as it is answered. Raw, so that it costs little. */
import { connect, type Socket } from "node:net";

export interface Slice {
  requests: number;
  elapsedMs: number;
  latenciesMs: number[];
}

export interface Client {
  /** Asks for about `ms`, until all is answered. @throws on any status but a success. */
  run(nextRequest: () => string, ms: number): Promise<Slice>;
  /** One request; the answer as it came. */
  ask(request: string): Promise<string>;
  close(): void;
}

/** Bytes of the answer at the start of `data`, or 0 while it is not all there. */
function lengthOfAnswer(data: Buffer): number {
  const end = data.indexOf("\r\n\r\n");
  if (end < 0) return 0;
  const head = data.toString("latin1", 0, end);
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
  if (length !== undefined) return data.length >= end + 4 + Number(length) ? end + 4 + Number(length) : 0;
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) throw new Error(`an answer of no known length:\n${head}`);
  const last = data.indexOf("\r\n0\r\n\r\n", end + 2);
  return last < 0 ? 0 : last + 7;
}

class Connection {
  readonly #url: URL;
  #socket: Socket | null = null;
  #data: Buffer | null = null;
  #settle: { resolve(answer: Buffer): void; reject(error: Error): void } | null = null;

  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** The one there is; a new one when the server has closed it, as it does with idle ones. */
  #connected(): Socket {
    if (this.#socket && !this.#socket.destroyed && this.#socket.writable) return this.#socket;
    const socket = connect({ port: Number(this.#url.port), host: this.#url.hostname, noDelay: true });
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("error", (error) => this.#settle?.reject(error));
    socket.on("close", () => this.#settle?.reject(new Error("the connection was closed")));
    this.#socket = socket;
    return socket;
  }

  #receive(chunk: Buffer): void {
    const data = this.#data ? Buffer.concat([this.#data, chunk]) : chunk;
    try {
      const length = lengthOfAnswer(data);
      this.#data = length === 0 ? data : null;
      if (length === 0) return;
      if (length !== data.length) throw new Error("more came than was asked for");
      const settle = this.#settle;
      this.#settle = null;
      settle?.resolve(data);
    } catch (error) {
      this.#settle?.reject(error as Error);
    }
  }

  ask(request: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#connected().write(request, "latin1");
    });
  }

  close(): void {
    this.#settle = null;
    this.#socket?.destroy();
  }
}

const ok = Buffer.from("HTTP/1.1 2");

export function createClient(url: string, connectionCount: number): Client {
  const connections = Array.from({ length: connectionCount }, () => new Connection(url));
  return {
    async run(nextRequest, ms) {
      const latenciesMs: number[] = [];
      const start = performance.now();
      await Promise.all(
        connections.map(async (connection) => {
          for (let sentAt = start; sentAt - start < ms; ) {
            const answer = await connection.ask(nextRequest());
            if (answer.compare(ok, 0, ok.length, 0, ok.length) !== 0)
              throw new Error(answer.toString("latin1", 0, 300));
            const now = performance.now();
            latenciesMs.push(now - sentAt);
            sentAt = now;
          }
        }),
      );
      return { requests: latenciesMs.length, elapsedMs: performance.now() - start, latenciesMs };
    },
    async ask(request) {
      const [first] = connections;
      if (!first) throw new Error("no connection");
      return (await first.ask(request)).toString("latin1");
    },
    close: () => {
      for (const connection of connections) connection.close();
    },
  };
}
