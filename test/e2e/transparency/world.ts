/** The three ways to the origin that the transparency suites compare: direct, through a bare Worker, through the gate. */
import { randomBytes } from "node:crypto";
import { startLocal } from "../../../scripts/local.ts";
import { adminVars, manage, publish } from "../managed.ts";
import { openConnection, type RawAnswer, readAnswer } from "../raw-client.ts";
import { type Head, headBytes, valuesOf } from "../raw-message.ts";
import { type RawOrigin, type Received, type Step, startRawOrigin } from "../raw-origin.ts";
import { readSample } from "../stack.ts";

/** The smallest proxy there is: whatever it changes, the platform changes. */
const bareWorker = `export default {
  fetch(request, env) {
    const { url } = request;
    const path = url.slice(url.indexOf("/", url.indexOf("//") + 2));
    return fetch(new Request(env.ORIGIN + path, request));
  },
};`;

/** Hosts are tenants: what a test wants of the gate it asks by Host. */
export const hosts = {
  /** Nothing but the defaults. */
  plain: "login.test",
  /** `inject: "attributes"`. */
  inject: "inject.test",
  /** An origin that refuses connections. */
  refused: "refused.test",
} as const;

export type Way = "direct" | "bare" | "gate";

/** Who asks: whether the gate assigns is told from this. */
export type Asker = "document" | "session" | "subresource" | "call";
export const askers: readonly Asker[] = ["document", "session", "subresource", "call"];

export type HeaderLines = readonly (readonly [string, string])[];

export interface Exchange {
  method?: string;
  target?: string;
  host?: string;
  headers?: HeaderLines;
  /** The Cookie header; our own come before it where there is a session. */
  cookie?: string;
  /** What follows the head: the body in its framing. */
  body?: Buffer | string;
  /** What the origin says. */
  answer?: readonly Step[];
}

/** What origin and client saw. */
export interface Seen {
  /** Null: the origin was not asked. */
  received: Received | null;
  /** Null: the connection ended without an answer. */
  answer: RawAnswer | null;
}

export interface World {
  origin: RawOrigin;
  urls: Readonly<Record<Way, string>>;
  /** What the Worker said on its console. */
  log: readonly string[];
  /** The head of a request, as sent. */
  requestBytes(exchange: Exchange, asker: Asker): Buffer;
  see(way: Way, exchange: Exchange, asker: Asker): Promise<Seen>;
  close(): Promise<void>;
}

export const userAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const page: HeaderLines = [
  ["User-Agent", userAgent],
  ["Accept", "text/html,application/xhtml+xml,*/*;q=0.8"],
  ["Sec-Fetch-Dest", "document"],
];
const askerLines: Readonly<Record<Asker, HeaderLines>> = {
  document: page,
  session: page,
  subresource: [
    ["User-Agent", userAgent],
    ["Sec-Fetch-Dest", "script"],
  ],
  call: [
    ["User-Agent", userAgent],
    ["Sec-Fetch-Dest", "empty"],
  ],
};

export const ok: readonly Step[] = [headBytes("HTTP/1.1 200 OK", [["Content-Length", "2"]]), "ok"];

export async function startWorld(): Promise<World> {
  const origin = await startRawOrigin();
  // Bound and closed again: a port where nobody listens.
  const nobody = await startRawOrigin();
  await nobody.close();
  const key = () => randomBytes(32).toString("base64url");
  const log: string[] = [];
  const [gate, bare] = await Promise.all([
    startLocal({
      port: 0,
      vars: {
        ...adminVars,
        COOKIE_KEYS: `k1:${key()}`,
        STAMP_KEY: key(),
        SNAPSHOT_FRESH_SECONDS: "300",
        TENANTS: JSON.stringify({
          plain: { hosts: ["*"], origin: origin.url },
          inject: { hosts: [hosts.inject], origin: origin.url, inject: "attributes" },
          // The Route topology: fetched as it came. The Host is then the origin's own.
          route: { hosts: ["127.0.0.1"] },
          refused: { hosts: [hosts.refused], origin: nobody.url },
        }),
      },
      onLog: (_level, message) => void log.push(message),
    }),
    startLocal({ port: 0, login: bareWorker, vars: { ORIGIN: origin.url } }),
  ]);
  const sample = await readSample();
  await Promise.all(["plain", "inject", "route", "refused"].map((tenant) => publish(manage(gate, tenant), sample)));

  const urls = { direct: origin.url, bare: bare.directUrl, gate: gate.directUrl };
  const sessions = new Map<string, string>();

  function requestBytes(exchange: Exchange, asker: Asker): Buffer {
    const { method = "GET", target = "/login", host = hosts.plain, cookie, headers = [] } = exchange;
    const session = asker === "session" ? sessions.get(host) : undefined;
    const cookies = [session, cookie].filter((each) => each !== undefined).join("; ");
    const lines: HeaderLines = [
      ["Host", host],
      ...askerLines[asker],
      ...(cookies ? [["Cookie", cookies] as const] : []),
    ];
    return headBytes(`${method} ${target} HTTP/1.1`, [...lines, ...headers]);
  }

  async function see(way: Way, exchange: Exchange, asker: Asker): Promise<Seen> {
    const { method = "GET", body = "", answer = ok } = exchange;
    origin.takeReceived();
    origin.answer(...answer);
    const connection = await openConnection(urls[way]);
    try {
      connection.write(requestBytes(exchange, asker));
      if (body.length > 0) connection.write(typeof body === "string" ? Buffer.from(body, "latin1") : body);
      const seen = await readAnswer(connection.reader, method).catch(() => null);
      const [received = null, ...others] = origin.takeReceived();
      if (others.length > 0) throw new Error("the origin was asked more than once");
      return { received, answer: seen };
    } finally {
      connection.abandon();
    }
  }

  for (const host of [hosts.plain, hosts.inject, origin.host]) {
    const { answer } = await see("gate", { host }, "document");
    sessions.set(host, cookiesOf(answer?.head));
  }
  return {
    origin,
    urls,
    log,
    requestBytes,
    see,
    close: async () => {
      await Promise.all([gate.close(), bare.close(), origin.close()]);
    },
  };
}

function cookiesOf(head: Head | undefined): string {
  const pairs = head ? valuesOf(head, "set-cookie").map((cookie) => cookie.split(";", 1)[0]) : [];
  if (!pairs.some((pair) => pair?.startsWith("vst_ses="))) throw new Error("the gate assigned nothing");
  return pairs.join("; ");
}
