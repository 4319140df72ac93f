/**
 * A small identity provider of the simulation's own: it answers fast, and goes wrong where it is told to, by variation.
 * It has the addresses of the demo's, so that the same people come to either.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How a page goes wrong, of one tenant. */
export interface Behaviour {
  /** Whether this variation's page goes out as XHTML, which the gate does not take for a page. */
  isXhtml?(variationId: string | undefined, visitorId: string): boolean;
  /** `script`: the log-in ends on a page that goes on by script, which no redirect shows. */
  ends?: "redirect" | "script";
}

export interface RunningSimulationProvider {
  port: number;
  /** By the tenant's host; without one, all goes well. */
  behave(host: string, behaviour: Behaviour): void;
  close(): Promise<void>;
}

export const simulatedPassword = "vestibule";

export async function startSimulationProvider(): Promise<RunningSimulationProvider> {
  const behaviours = new Map<string, Behaviour>();
  const server = createServer((request, response) => {
    answer(request, response, behaviours.get(hostOf(request)) ?? {}).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  // Whoever forwards to it keeps connections, too, and would meet one just as it is closed.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    behave: (host, behaviour) => void behaviours.set(host, behaviour),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function hostOf({ headers }: IncomingMessage): string {
  const [given = ""] = [headers["x-forwarded-host"] ?? headers.host ?? ""].flat();
  return given.replace(/:\d+$/, "");
}

async function answer(request: IncomingMessage, response: ServerResponse, behaviour: Behaviour): Promise<void> {
  const url = new URL(request.url ?? "/", "http://provider.invalid");
  const query = url.searchParams;
  const state = query.get("state") ?? "";
  const back = (parameters: Record<string, string>) => {
    const target = new URL(query.get("redirect_uri") ?? "http://localhost/");
    for (const [name, value] of Object.entries({ ...parameters, state })) target.searchParams.set(name, value);
    return target.href;
  };
  const redirect = (location: string) => response.writeHead(303, { location }).end();
  const [variationId] = [request.headers["x-experiment-variation-id"]].flat();
  const contentType = behaviour.isXhtml?.(variationId, state) ? "application/xhtml+xml" : "text/html; charset=utf-8";
  const page = (status: number, markup: string) =>
    response.writeHead(status, { "content-type": contentType, "cache-control": "no-store" }).end(markup);

  if (url.pathname === "/jwks") {
    // Its keys are not to be had.
    response.destroy();
  } else if (url.pathname === "/auth") {
    const path = query.get("prompt") === "create" ? "/interaction/signup" : "/interaction";
    redirect(`${path}${url.search}`);
  } else if (!url.pathname.startsWith("/interaction")) {
    response.writeHead(404).end();
  } else if (request.method !== "POST") {
    page(200, formPage(`${url.pathname}${url.search}`));
  } else {
    const form = new URLSearchParams(await bodyOf(request));
    if (form.get("password") !== simulatedPassword) page(400, formPage(`${url.pathname}${url.search}`));
    else if (behaviour.ends === "script") page(200, scriptPage(back({ code: state })));
    else redirect(back({ code: state }));
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");

const formPage = (action: string) => `<!doctype html><html lang="en"><title>Sign in</title>
<form method="post" action="${escaped(action)}"><input name="email"><input name="password" type="password"></form></html>`;

const scriptPage = (location: string) => `<!doctype html><html lang="en"><title>Signed in</title>
<script>location.replace("${escaped(location)}")</script></html>`;
