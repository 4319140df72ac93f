/** Serves a Hono application, and what it leaves over, on a port of this machine. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";

/** Node's own objects, for handlers that must hand them to a Node library. */
export type NodeBindings = { incoming: IncomingMessage; outgoing: ServerResponse };

type FetchHandler = (request: Request, bindings: NodeBindings) => Response | Promise<Response>;

export interface Listening {
  port: number;
  /** Ends open connections too, so that nothing keeps the process alive. */
  close(): Promise<void>;
}

/** Rejects with Node's own error (`EADDRINUSE` when the port is taken). Port 0 takes any free one. */
export async function listen(port: number, handler: RequestListener): Promise<Listening> {
  const server = createServer(handler);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // Loopback only: nothing of the demo is meant for the network.
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

/** A port nobody listens on, for what must know its address before it starts. */
export async function findFreePort(): Promise<number> {
  const { port, close } = await listen(0, () => {});
  await close();
  return port;
}

export function toNodeHandler(fetchHandler: FetchHandler): RequestListener {
  return async (incoming, outgoing) => {
    try {
      const response = await fetchHandler(toRequest(incoming), { incoming, outgoing });
      outgoing.writeHead(response.status, writableHeaders(response));
      outgoing.end(Buffer.from(await response.arrayBuffer()));
    } catch (error) {
      console.error(error);
      if (!outgoing.headersSent) outgoing.writeHead(500, { "content-type": "text/plain" });
      outgoing.end("The demo failed; its terminal says why.\n");
    }
  };
}

export function headersOf(incoming: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  return headers;
}

function toRequest(incoming: IncomingMessage): Request {
  const method = incoming.method ?? "GET";
  const url = new URL(incoming.url ?? "/", `http://${incoming.headers.host ?? "localhost"}`);
  const init = { method, headers: headersOf(incoming) };
  return method === "GET" || method === "HEAD"
    ? new Request(url, init)
    : new Request(url, { ...init, body: Readable.toWeb(incoming), duplex: "half" } as RequestInit);
}

/** Several Set-Cookie headers stay several. */
function writableHeaders(response: Response): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.fromEntries(response.headers);
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) headers["set-cookie"] = cookies;
  return headers;
}
