/** Sites of their own on this machine: every name that ends in `.test`, over https, since cookies for cross-site requests must be Secure. */
import { createServer, request as httpsRequest, type RequestOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { type NodeBindings, toNodeHandler } from "../../../scripts/demo/listen.ts";
import { type Certificate, createCertificate } from "./certificate.ts";

/** Registrable names that differ, so that a browser takes each for another site. */
export const hosts = {
  provider: "login.atlas-id.test",
  app: "app.atlas-notes.test",
  upstream: "accounts.upstream.test",
} as const;

/** One for all of them; the browser and `fetchSite` ask for no more. */
export const certificate: Certificate = createCertificate("localhost", ...Object.values(hosts));

/**
 * Arguments of Chromium: the names lead here, and the certificate is trusted. To ignore its faults instead would switch off
 * the cache.
 */
export const siteArguments = [
  "--host-resolver-rules=MAP *.test 127.0.0.1",
  `--ignore-certificate-errors-spki-list=${certificate.publicKeyHash}`,
];

export interface Site {
  /** The origin, e.g. `https://app.atlas-notes.test:40123`. */
  url: string;
  close(): Promise<void>;
}

type Handler = (request: Request, bindings: NodeBindings) => Response | Promise<Response>;

export async function startSite(host: string, handler: Handler, port = 0): Promise<Site> {
  const server = createServer(certificate, toNodeHandler(handler));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `https://${host}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const toLoopback: NonNullable<RequestOptions["lookup"]> = (_host, { all }, found) =>
  all ? found(null, [{ address: "127.0.0.1", family: 4 }]) : found(null, "127.0.0.1", 4);

/** `fetch` to one of the sites; Node's own can neither be told where a name leads nor which certificate to trust. */
export async function fetchSite(address: string | URL, init: RequestInit = {}): Promise<Response> {
  const request = new Request(address, init);
  const body = Buffer.from(await request.arrayBuffer());
  const options = {
    method: request.method,
    headers: { ...Object.fromEntries(request.headers), "content-length": String(body.length) },
    lookup: toLoopback,
    rejectUnauthorized: false,
    agent: false as const,
  };
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(request.url, options, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const headers = Object.entries(incoming.headersDistinct).flatMap(([name, values = []]) =>
          values.map((value): [string, string] => [name, value]),
        );
        const status = incoming.statusCode ?? 500;
        resolve(new Response(chunks.length === 0 ? null : Buffer.concat(chunks), { status, headers }));
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** A handler that forwards to an http server and tells it the public address, as a proxy that ends TLS does. */
export function createForwarder(target: string): Handler {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    headers.set("x-forwarded-proto", "https");
    headers.set("x-forwarded-host", request.headers.get("host") ?? "");
    for (const name of ["host", "connection", "keep-alive", "transfer-encoding", "content-length"])
      headers.delete(name);
    const { method } = request;
    const body = method === "GET" || method === "HEAD" ? null : await request.arrayBuffer();
    return fetch(`${target}${pathname}${search}`, { method, headers, body, redirect: "manual" });
  };
}
