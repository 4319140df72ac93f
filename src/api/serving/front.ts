/** The addresses that apps fetch from, whatever protocol they speak; what all answers have in common. */
import type { Address } from "../../assignment/address.ts";
import type { Keyring } from "../../assignment/keyring.ts";
import { withTimeout } from "../../assignment/pending.ts";
import { messageOf, type Sources } from "../../assignment/sources.ts";
import type { Units } from "../../assignment/unit.ts";
import { createDesk, type Desk, type Visit } from "./desk.ts";
import { createFetchReporter, type FetchReporter } from "./report.ts";

export type Protocol = "native" | "amplitude" | "ofrep";

/** What a protocol answers with. */
export interface Serving {
  desk: Desk;
  reporter: FetchReporter;
  /** For overrides, and whatever else clients hand back that must be genuine. */
  keyring: Keyring;
  units: Units;
  now: () => number;
}

/** Answers at all addresses of one protocol. Expects no preflights; what it throws is a bug. */
export type Speaker = (request: Request, url: Address, path: string, visit: Visit) => Promise<Response>;

/** By protocol, what makes its speaker once it is first spoken. */
export type Speakers = Readonly<Partial<Record<Protocol, (serving: Serving) => Speaker>>>;

/** A fetch address: its path as the protocol writes it. */
export interface Spoken {
  protocol: Protocol;
  path: string;
}

const amplitudePaths: ReadonlySet<string> = new Set([
  "/sdk/v2/vardata",
  "/sdk/vardata",
  "/v1/vardata",
  "/sdk/v2/flags",
  "/v1/flags",
  "/sdk/stream/v1/flags",
  "/2/httpapi",
  "/batch",
]);
const cohortPath = "/sdk/v1/cohort/";
const nativePath = "/_vestibule/v1/";
const ofrepPath = "/ofrep/v1/evaluate/flags";

function protocolOf(path: string): Protocol | null {
  if (amplitudePaths.has(path) || path.startsWith(cohortPath)) return "amplitude";
  if (path.startsWith(nativePath)) return "native";
  return path === ofrepPath || path.startsWith(`${ofrepPath}/`) ? "ofrep" : null;
}

/** Null for what is the gate's. A client that is given an address with a slash at its end asks for `//sdk/…`. */
export function findSpoken(pathname: string, speakers: Speakers): Spoken | null {
  const path = pathname.startsWith("//") ? pathname.replace(/^\/+/, "/") : pathname;
  const protocol = protocolOf(path);
  return protocol !== null && speakers[protocol] !== undefined ? { protocol, path } : null;
}

export interface Front {
  /** Never throws nor rejects. */
  answer(spoken: Spoken, request: Request, url: Address, visit: Visit): Promise<Response>;
}

export interface FrontOptions {
  sources: Sources;
  /** Requests a second of one key in one isolate. */
  ratePerSecond: number;
  budgetMs: number;
  now: () => number;
  speakers: Speakers;
}

/** How long a browser may remember what it is allowed: Chromium forgets after two hours. */
const preflightSeconds = 7_200;
const usualHeaders = "authorization, content-type, if-none-match, x-api-key";

/** Any page may ask: the key says what it is given, and there are no cookies to go by. */
const fromAnywhere = { "access-control-allow-origin": "*", "access-control-expose-headers": "*" };

function answerPreflight({ headers }: Request): Response {
  const wanted = headers.get("access-control-request-headers") ?? "";
  return new Response(null, {
    status: 204,
    headers: {
      ...fromAnywhere,
      "access-control-allow-methods": "GET, HEAD, POST",
      "access-control-allow-headers": /^[\w, -]{1,2048}$/.test(wanted) ? wanted : usualHeaders,
      "access-control-max-age": String(preflightSeconds),
      vary: "Access-Control-Request-Headers",
    },
  });
}

export function createFront({ sources, ratePerSecond, budgetMs, now, speakers }: FrontOptions): Front {
  const { keyring, units } = sources;
  // Behind the answer cryptography may take its time; before it, nobody waits for what hangs.
  const inTime = <T>(value: Promise<T>) => Promise.resolve(withTimeout(value, budgetMs));
  const serving: Serving = {
    desk: createDesk({ sources, ratePerSecond, budgetMs, now }),
    reporter: createFetchReporter(sources, now),
    keyring: {
      sign: (...value) => inTime(keyring.sign(...value)),
      verify: (...value) => withTimeout(keyring.verify(...value), budgetMs),
    },
    units: { unitOf: (...subject) => inTime(units.unitOf(...subject)) },
    now,
  };
  const known = new Map<Protocol, Speaker>();

  function speakerOf(protocol: Protocol): Speaker {
    const speaker = known.get(protocol) ?? speakers[protocol]?.(serving);
    if (speaker === undefined) throw new Error(`nobody speaks ${protocol}`);
    known.set(protocol, speaker);
    return speaker;
  }

  return {
    async answer({ protocol, path }, request, url, visit) {
      if (request.method === "OPTIONS") return answerPreflight(request);
      try {
        const response = await speakerOf(protocol)(request, url, path, visit);
        for (const [name, value] of Object.entries(fromAnywhere)) response.headers.set(name, value);
        return request.method === "HEAD" ? new Response(null, response) : response;
      } catch (error) {
        console.error(JSON.stringify({ message: "a fetch API failed", protocol, path, reason: messageOf(error) }));
        return new Response(null, { status: 500, headers: fromAnywhere });
      }
    },
  };
}
