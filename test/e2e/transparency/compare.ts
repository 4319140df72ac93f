/** What may differ, and why: the platform's own doings, each named, and our documented additions. All else must be equal. */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { RawAnswer } from "../raw-client.ts";
import { type Head, valuesOf } from "../raw-message.ts";
import type { Received } from "../raw-origin.ts";
import { type Asker, type Exchange, hosts, type Seen, type World } from "./world.ts";

type Lines = [name: string, value: string][];

/** Never forwarded by the platform, in either direction: they speak of one connection. */
const platformDrops = new Set(["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"]);
/** The rest of RFC 9110 §7.6.1, which the gate takes off. */
const gateDrops = new Set(["proxy-authenticate", "proxy-authorization", "proxy-connection"]);

/** Lines of these the platform joins to one, and leaves an empty one out; those it does not know stay as they are. */
const joined =
  /^(?:accept|accept-\w+|age|allow|cache-control|content-(?!length)\w+|cookie|date|link|pragma|referer|server|user-agent|vary|via|warning|www-authenticate|x-forwarded-for|sec-fetch-dest)$/;

/** Order, case and joining of lines are the platform's; nothing else about them is. */
function canonical(lines: Lines): string[] {
  const known = new Map<string, string>();
  const all: Lines = [];
  for (const [name, value] of lines) {
    const lower = name.toLowerCase();
    const before = known.get(lower);
    if (joined.test(lower)) known.set(lower, before === undefined ? value : `${before}, ${value}`);
    else all.push([lower, value]);
  }
  const kept = [...known].filter(([, value]) => value !== "");
  return [...all, ...kept].map(([name, value]) => `${name}: ${value}`.trimEnd()).sort();
}

function without({ headers }: Head, isDropped: (name: string, value: string) => boolean): Lines {
  return headers.filter(([name, value]) => !isDropped(name.toLowerCase(), value));
}

/** WHATWG URL parsing: dot segments are resolved, backslashes turned, absolute addresses and fragments cut. */
function platformTarget(target: string): string {
  const url = new URL(target.startsWith("/") ? `http://host${target}` : target);
  url.hash = "";
  return url.href.slice(url.origin.length);
}

interface Told {
  line: string;
  headers: string[];
  framing: string;
  body: string;
}

/** Short enough to be read where it differs. */
function digest(bytes: Buffer): string {
  if (bytes.length <= 4096) return bytes.toString("latin1");
  return `${bytes.length} bytes, ${createHash("sha1").update(bytes).digest("hex")}`;
}

/** What the origin must see through a bare Worker, given what it sees directly. */
function requestThroughPlatform({ head, framing, body }: Received, originHost: string): Told {
  const [method = "", target = ""] = head.line.split(" ");
  const bodiless = method === "GET" || method === "HEAD";
  const headers = without(head, (name, value) => {
    // GET and HEAD without a length have no body to the platform, even where chunks come.
    const isVoid = bodiless && name === "content-length" && value === "0";
    return platformDrops.has(name) || name === "host" || isVoid;
  });
  headers.push(["Host", originHost]);
  const dropsBody = bodiless && (framing === "chunked" || body.length === 0);
  // Any other method without a body is said to have an empty one.
  if (framing === "none" && !bodiless) headers.push(["Content-Length", "0"]);
  return {
    line: `${method} ${platformTarget(target)} HTTP/1.1`,
    headers: canonical(headers),
    framing: dropsBody ? "none" : framing === "none" && !bodiless ? "length" : framing,
    body: dropsBody ? "" : digest(body),
  };
}

function requestAsTold({ head, framing, body }: Received): Told {
  return {
    line: head.line,
    headers: canonical(without(head, (name) => name === "transfer-encoding")),
    framing,
    body: digest(body),
  };
}

/** What the client must see through a bare Worker, given what it sees directly. */
function answerThroughPlatform(answer: RawAnswer, method: string): Told & { isWhole: boolean } {
  const [, status = "", ...reason] = answer.head.line.split(" ");
  const bodiless = method === "HEAD" || status === "204" || status === "304";
  // 205 has an empty body, whatever the origin sends with it.
  const isReset = status === "205";
  const lengths = new Set<string>();
  const headers = without(answer.head, (name, value) => {
    if (platformDrops.has(name)) return true;
    if (name === "set-cookie" && value === "") return true;
    if (name !== "content-length") return false;
    const isRepeated = lengths.size > 0;
    lengths.add(value);
    return isRepeated || isReset || status === "204" || status === "304";
  });
  if (isReset) headers.push(["Content-Length", "0"]);
  // What ends by closing has no length, so it goes on in chunks.
  const framing =
    isReset && method !== "HEAD" ? "length" : answer.framing === "close" && !bodiless ? "chunked" : answer.framing;
  // A reason that is not ASCII is left out.
  const reasonText = reason.join(" ");
  const kept = /^[\x20-\x7e]*$/.test(reasonText) ? reasonText : "";
  return {
    line: `HTTP/1.1 ${status} ${kept}`,
    headers: canonical(headers),
    framing,
    body: isReset ? "" : digest(answer.body),
    isWhole: answer.isWhole,
  };
}

/** The framing is compared by itself, and the platform closes a connection whose request it did not read to the end. */
const isOfOneConnection = (name: string) => name === "transfer-encoding" || name === "connection";

function answerAsTold({ head, framing, body, isWhole }: RawAnswer): Told & { isWhole: boolean } {
  const headers = canonical(without(head, isOfOneConnection));
  return { line: head.line, headers, framing, body: digest(body), isWhole };
}

/** What a Connection header names besides the usual. */
function connectionNames(head: Head): Set<string> {
  return new Set(valuesOf(head, "connection").flatMap((value) => value.toLowerCase().split(/\s*,\s*/)));
}

/** What a client may not say about forwarding: removed, and of `X-Forwarded-*` ours are set. */
const isForwarding = (name: string) =>
  /^(?:forwarded|x[-_.](?:forwarded|original|rewrite)[-_.].*|(?:x-real|x-client|true-client|x-cluster-client)-ip)$/.test(
    name,
  );
/** A kept copy must not hide the variation, and none of its parts be mixed with another's. */
const conditional = new Set(["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"]);
const isConditional = (head: Head, name: string) =>
  conditional.has(name) || (name === "range" && valuesOf(head, "if-range").length > 0);
const isStampName = (name: string) => name.startsWith("x-experiment-");

export const isStamped = ({ head }: Received) => valuesOf(head, "x-experiment-stamp").length === 1;

/** A request as it stands on the wire, our additions taken off. */
function requestLessOurs(
  { head, framing, body }: Received,
  bareHead: Head,
  hops: Set<string>,
  stamped: boolean,
  isStampedOne: boolean,
) {
  // A stamped request is fetched past shared caches, and the platform says so where the client says nothing.
  const silent = (name: string) => stamped && valuesOf(bareHead, name).length === 0;
  const headers = without(
    head,
    (name, value) =>
      isStampName(name) ||
      isForwarding(name) ||
      (isStampedOne && isConditional(bareHead, name)) ||
      gateDrops.has(name) ||
      hops.has(name) ||
      ((name === "cache-control" || name === "pragma") && value === "no-cache" && silent(name)),
  );
  return { line: head.line, headers, framing, body: digest(body) };
}

const isOurCookie = (setCookie: string) => /^vst_(?:did|ses|sticky)=/.test(setCookie);

/** An answer as it stands on the wire, our cookies taken off. */
function answerLessOurs({ head, framing, body, isWhole }: RawAnswer, hops: Set<string>) {
  const isOurs = (name: string, value: string) => name === "set-cookie" && isOurCookie(value);
  const headers = without(
    head,
    (name, value) => gateDrops.has(name) || hops.has(name) || isOfOneConnection(name) || isOurs(name, value),
  );
  return { line: head.line, headers, framing, body: digest(body), isWhole };
}

const isCaching = (name: string) => /^(?:cache-control|etag|last-modified|expires|pragma|age)$/i.test(name);

/** A page that depends on the stamp is for one visitor alone, who asks again each time. Where the line stands is the platform's. */
function cachingOfPage(headers: Lines): Lines {
  const told = headers
    .filter(([name]) => name.toLowerCase() === "cache-control")
    .map(([, value]) => value.toLowerCase());
  const says = (directive: string) => told.some((value) => value.split(/\s*,\s*/).includes(directive));
  const transform = says("no-transform") ? ", no-transform" : "";
  return [["cache-control", `private, ${says("no-store") ? "no-store" : "no-cache"}${transform}`]];
}

/** What the gate takes off must be gone: the comparison leaves it out on both sides. */
function expectNoHops({ headers }: Head, hops: Set<string>): void {
  const left = headers.filter(([name]) => gateDrops.has(name.toLowerCase()) || hops.has(name.toLowerCase()));
  expect(left).toEqual([]);
}

/** The gate's additions, which must be there: all else is compared. */
function expectAdditions(received: Received, { host = hosts.plain }: Exchange, stamped: boolean): void {
  expect(isStamped(received)).toBe(stamped);
  if (!stamped) expect(received.head.headers.filter(([name]) => isStampName(name.toLowerCase()))).toEqual([]);
  expect(valuesOf(received.head, "x-forwarded-host")).toEqual([host]);
  expect(valuesOf(received.head, "x-forwarded-proto")).toEqual(["http"]);
  const told = received.head.headers.filter(([name]) => isForwarding(name.toLowerCase()));
  const left = told.filter(([name]) => !/^x-forwarded-(?:for|host|port|proto)$/i.test(name));
  expect(left).toEqual([]);
}

/** Whether the gate stamps what this asker sends. */
export function stamps(asker: Asker, method: string): boolean {
  // A server that echoes TRACE would show the stamp to scripts.
  return (asker === "session" && method !== "TRACE") || (asker === "document" && method === "GET");
}

/**
 * Sends the exchange on all three ways; fails where the bare Worker differs from direct by more than the rules above,
 * or the gate from the bare Worker by more than our additions. Returns what was seen through the gate.
 */
export async function expectTransparent(world: World, exchange: Exchange, asker: Asker): Promise<Seen> {
  const { method = "GET" } = exchange;
  const direct = await world.see("direct", exchange, asker);
  const bare = await world.see("bare", exchange, asker);
  const gate = await world.see("gate", exchange, asker);
  if (!direct.received || !direct.answer) throw new Error("the exchange does not even work directly");
  if (!bare.received || !gate.received || !bare.answer || !gate.answer) {
    throw new Error(`not all asked and answered: ${JSON.stringify({ bare, gate })}`);
  }
  expect(requestAsTold(bare.received)).toEqual(requestThroughPlatform(direct.received, world.origin.host));
  expect(answerAsTold(bare.answer)).toEqual(answerThroughPlatform(direct.answer, method));

  const stamped = stamps(asker, method);
  expectAdditions(gate.received, exchange, stamped);
  const requestHops = connectionNames(direct.received.head);
  expectNoHops(gate.received.head, requestHops);
  expect(requestLessOurs(gate.received, bare.received.head, requestHops, stamped, false)).toEqual(
    requestLessOurs(bare.received, bare.received.head, requestHops, false, stamped),
  );
  const answerHops = connectionNames(direct.answer.head);
  // Beyond, no Response can be made of it: it passes as it is.
  if (gate.answer.status <= 599) expectNoHops(gate.answer.head, answerHops);
  const expected = answerLessOurs(bare.answer, answerHops);
  const seen = answerLessOurs(gate.answer, answerHops);
  // A response with a cookie of ours is one visitor's too.
  const isPersonal = stamped || valuesOf(gate.answer.head, "set-cookie").some((value) => isOurCookie(value));
  if (isPersonal && gate.answer.status <= 599) {
    const caching = seen.headers.filter(([name]) => isCaching(name));
    expect(caching.map(([name, value]) => [name.toLowerCase(), value])).toEqual(cachingOfPage(expected.headers));
    for (const each of [seen, expected]) each.headers = each.headers.filter(([name]) => !isCaching(name));
  }
  expect(seen).toEqual(expected);
  return gate;
}
