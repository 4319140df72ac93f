/** A browser that goes through a login, and what was counted of it: support for tests of the whole gate. */
import type { VestibuleEvent } from "../../../src/model/event.ts";
import type { LogEntry } from "../../../src/model/log-entry.ts";
import { host, type Stage, type Visit } from "../stage.ts";

export const chrome =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36";

/** What the origin answers. */
export type Answer = Response | (() => Response);

export const page =
  (status = 200, headers: Record<string, string> = {}) =>
  () =>
    new Response("<!doctype html><title>Log in</title>", {
      status,
      headers: { "content-type": "text/html", ...headers },
    });
export const redirect =
  (location: string, headers: Record<string, string> = {}) =>
  () =>
    new Response(null, { status: 303, headers: { location, ...headers } });
export const json =
  (value: unknown, status = 200) =>
  () =>
    Response.json(value, { status });

export interface Sending {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Whether cookies of `SameSite=Lax` are withheld, as from a cross-site POST. */
  crossSite?: boolean;
}

export interface Journey {
  cookies: Map<string, string>;
  /** A top-level navigation. */
  go(path: string, answer?: Answer, sending?: Sending): Promise<Visit>;
  /** A form of the host's own page. */
  post(path: string, answer?: Answer, sending?: Sending): Promise<Visit>;
  /** A call of the page's script. */
  call(path: string, answer?: Answer, sending?: Sending): Promise<Visit>;
}

export function createJourney(stage: Stage, scheme = "https", at = host): Journey {
  const cookies = new Map<string, string>();
  const lax = new Set<string>();

  async function send(path: string, answer: Answer, own: Record<string, string>, sending: Sending): Promise<Visit> {
    const { method = "GET", headers = {}, body, crossSite = false } = sending;
    const sent = [...cookies].filter(([name]) => !(crossSite && method !== "GET" && lax.has(name)));
    const cookie = sent.map(([name, value]) => `${name}=${value}`).join("; ");
    stage.origin.answer = () => (typeof answer === "function" ? answer() : answer);
    const request = new Request(`${scheme}://${at}${path}`, {
      method,
      redirect: "manual",
      headers: {
        "user-agent": chrome,
        ...(crossSite ? { "sec-fetch-site": "cross-site" } : {}),
        ...own,
        ...(cookie === "" ? {} : { cookie }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const visit = await stage.send(request);
    for (const line of visit.response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split("; ");
      const name = pair.slice(0, pair.indexOf("="));
      lax.delete(name);
      if (attributes.includes("SameSite=Lax")) lax.add(name);
      if (attributes.includes("Max-Age=0")) cookies.delete(name);
      else cookies.set(name, pair.slice(pair.indexOf("=") + 1));
    }
    return visit;
  }

  const navigates = { accept: "text/html,*/*", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate" };
  const ownForm = {
    ...navigates,
    "sec-fetch-site": "same-origin",
    "content-type": "application/x-www-form-urlencoded",
  };
  const calls = { accept: "*/*", "sec-fetch-dest": "empty", "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin" };
  return {
    cookies,
    go: (path, answer = page(), sending = {}) => send(path, answer, navigates, sending),
    post: (path, answer = page(), sending = {}) =>
      send(path, answer, sending.crossSite ? navigates : ownForm, { method: "POST", body: "x=1", ...sending }),
    call: (path, answer = json({}), sending = {}) =>
      send(path, answer, calls, { method: "POST", body: "{}", ...sending }),
  };
}

export const eventsOf = ({ queued }: Stage): VestibuleEvent[] =>
  queued.flatMap((message) => (message.kind === "event" ? message.event : []));
export const entriesOf = ({ queued }: Stage): LogEntry[] =>
  queued.flatMap((message) => (message.kind === "log" ? message.entry : []));
export const outcomesOf = (stage: Stage) => entriesOf(stage).flatMap(({ type }) => (type === "w" ? [] : type));
export const warningsOf = (stage: Stage) =>
  entriesOf(stage).flatMap(({ type, details }) => (type === "w" ? details.code : []));

/** Events by type and outcome, as `exposure` or `auth s`, in order of the alphabet. */
export const countedOf = (stage: Stage): string[] =>
  eventsOf(stage)
    .map(({ type, outcome }) => (outcome === undefined ? type : `${type} ${outcome}`))
    .sort();

export const authorize = "/authorize?client_id=app&response_type=code&state=1";
export const appCallback = "https://app.example.com/cb?code=c&state=1";
