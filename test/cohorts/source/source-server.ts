/**
 * A server of cohorts, and a receiver of logs, that does as each test says, down to the byte and the connection. Runs in Node, since tests in
 * workerd cannot listen; they talk to it over HTTP (scripted-source.ts).
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { TestProject } from "vitest/node";

export type Step =
  /** Base64 of what goes onto the connection as it is, head and body. */
  | { send: string }
  | { waitMs: number }
  /** After the last step the connection stays open unless one of these came. */
  | { end: "close" | "reset" };

/** A request for a source. */
export interface Seen {
  /** Path and query. */
  target: string;
  headers: Record<string, string>;
  body: string;
  isClosed: boolean;
}

declare module "vitest" {
  interface ProvidedContext {
    sourceOrigin: string;
  }
}

const scripts = new Map<string, Step[]>();
const seen = new Map<string, Seen[]>();

async function play(steps: readonly Step[], { socket }: IncomingMessage): Promise<void> {
  for (const step of steps) {
    if (socket.destroyed) return;
    if ("send" in step) socket.write(Buffer.from(step.send, "base64"));
    else if ("waitMs" in step) await wait(step.waitMs);
    else if (step.end === "close") socket.end();
    else socket.resetAndDestroy();
  }
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, kind, name = ""] = new URL(request.url ?? "", "http://localhost").pathname.split("/");
  if (kind === "script") {
    scripts.set(name, JSON.parse(await bodyOf(request)) as Step[]);
    response.end();
  } else if (kind === "seen") {
    response.end(JSON.stringify(seen.get(name) ?? []));
  } else {
    const entry: Seen = {
      target: request.url ?? "",
      headers: request.headers as Record<string, string>,
      body: await bodyOf(request),
      isClosed: false,
    };
    seen.set(name, [...(seen.get(name) ?? []), entry]);
    request.socket.on("error", () => {});
    request.socket.once("close", () => {
      entry.isClosed = true;
    });
    await play(scripts.get(name) ?? [{ end: "close" }], request);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

export default async function startSourceServer(project: TestProject): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  project.provide("sourceOrigin", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
}
