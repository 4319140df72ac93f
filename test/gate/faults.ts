/** Ways in which what we depend on may fail, and what must be so whatever fails: support for the fault matrix. */
import { expect, vi } from "vitest";
import { forwardPlainly } from "../../src/gate/gate.ts";
import { snapshotKey } from "../../src/model/snapshot.ts";
import { realStores, type Seen, type Stage, type Visit } from "./stage.ts";

export const hang = () => new Promise<never>(() => {});
const reject = () => Promise.reject(new Error("down"));
const throwAtOnce = (): never => {
  throw new Error("broken");
};
export const callFaults = { hang, error: reject, throw: throwAtOnce } as const;
export type CallFault = keyof typeof callFaults;

/** What stands where a snapshot should. */
const values = {
  garbage: "<html>502 Bad Gateway</html>",
  schema: JSON.stringify({ schema: 2, tenant: "acme", flags: [] }),
} as const;
const hugeBytes = 25 * 1024 * 1024;
/** Made as it is read: to put so much into a store takes longer than all the rest. */
function hugeStream(): ReadableStream<Uint8Array> {
  let left = hugeBytes;
  return new ReadableStream({
    pull(controller) {
      if (left <= 0) return controller.close();
      controller.enqueue(new Uint8Array(64 * 1024).fill(0x20));
      left -= 64 * 1024;
    },
  });
}
const isCallFault = (fault: string): fault is CallFault => fault in callFaults;

export const faults = ["hang", "error", "throw", "garbage", "schema", "huge"] as const;
export type Fault = (typeof faults)[number];

/** An object all of whose methods fail. */
function broken<T extends object>(fault: CallFault): T {
  return new Proxy({}, { get: () => callFaults[fault] }) as T;
}

export async function breakKv(stage: Stage, fault: Fault): Promise<void> {
  if (isCallFault(fault)) stage.stores.kv = broken<KVNamespace>(fault);
  else if (fault === "huge") {
    const getWithMetadata = async () => ({ value: hugeStream(), metadata: { version: 99 } });
    stage.stores.kv = { getWithMetadata } as unknown as KVNamespace;
  } else await realStores.kv.put(snapshotKey("acme"), values[fault], { metadata: { version: 99 } });
}

/** The shards of the cohorts' index alone: the snapshot is read as ever. Of `schema` there is none: garbage it is. */
export async function breakCohorts(stage: Stage, fault: Fault): Promise<void> {
  const { kv } = realStores;
  const get = isCallFault(fault)
    ? callFaults[fault]
    : async () => (fault === "huge" ? hugeStream() : new Blob([values[fault]]).stream());
  stage.stores.kv = { get, getWithMetadata: kv.getWithMetadata.bind(kv) } as unknown as KVNamespace;
}

export async function breakCache(stage: Stage, fault: Fault): Promise<void> {
  if (isCallFault(fault)) stage.stores.cache = broken<Cache>(fault);
  else if (fault === "huge") {
    stage.stores.cache = { match: async () => new Response(hugeStream()), put: async () => {} } as unknown as Cache;
  } else {
    const headers = { "cache-control": "max-age=60" };
    await realStores.cache.put("https://snapshot.vestibule.invalid/acme", new Response(values[fault], { headers }));
  }
}

export function breakQueue(stage: Stage, fault: CallFault): void {
  stage.stores.queue = broken<Queue>(fault);
}

/** Until `vi.restoreAllMocks()`. */
export function breakCrypto(part: "sign" | "verify" | "importKey" | "digest" | "getRandomValues", fault: CallFault) {
  const fail = callFaults[fault] as () => never;
  if (part === "getRandomValues") vi.spyOn(crypto, part).mockImplementation(fail);
  else vi.spyOn(crypto.subtle, part).mockImplementation(fail);
}

const theirs = (headers: Headers) => [...headers].filter(([name]) => !name.startsWith("x-experiment-"));
export const ours = (seen: Seen) => [...seen.headers.keys()].filter((name) => name.startsWith("x-experiment-"));

/** An isolate on a busy machine may be put aside at any moment: what is timed may be tried again. */
export const timed = { retry: 3, timeout: 20_000 };

/** Sends a request and expects of the origin's side and the client's all that holds whatever fails. */
export async function sendSafely(stage: Stage, request: Request): Promise<Visit> {
  const page = { status: 200, headers: { "content-type": "text/html", "x-origin": "yes" } };
  const body = "<!doctype html><title>Log in</title>";
  stage.origin.answer = () => new Response(body, page);
  await forwardPlainly(request.clone(), { origin: stage.tenant.origin }, null);
  const direct = stage.origin.seen.at(-1);

  let budgetOverAtMs = Number.POSITIVE_INFINITY;
  // In the same isolate, so that a busy machine delays it as much as it does the gate's own.
  const timer = setTimeout(() => {
    budgetOverAtMs = performance.now();
  }, stage.budgetMs);
  const visit = await stage.send(request, false);
  clearTimeout(timer);
  expect(visit.seen.atMs - budgetOverAtMs).toBeLessThan(20);

  expect(visit.seen).toMatchObject({ method: direct?.method, url: direct?.url });
  expect(visit.seen.body).toEqual(direct?.body);
  expect(theirs(visit.seen.headers)).toEqual(theirs(direct?.headers ?? new Headers()));

  expect(visit.response.status).toBe(200);
  expect(await visit.response.text()).toBe(body);
  const { headers } = visit.response;
  const names = [...headers.keys()].filter((name) => name !== "set-cookie").sort();
  const isOurs = visit.stamp("stamp") !== null || headers.getSetCookie().length > 0;
  expect(names).toEqual([...(isOurs ? ["cache-control"] : []), "content-type", "x-origin"]);
  for (const cookie of headers.getSetCookie()) expect(cookie).toMatch(/^__Host-vst_(did|ses|sticky)=/);

  if (visit.stamp("failed-open") !== null) expectFailedOpen(visit);
  else if (visit.stamp("id") !== null) {
    const variations = visit.stamp("variation-id")?.split(",");
    expect(visit.stamp("control")).toBe(String(variations?.map((id) => id === "var_a")));
    expect(visit.stamp("stamp")).toMatch(/^[\w-]+\.[\w-]+\.[\w-]{43}$/);
  } else expect(ours(visit.seen)).toEqual([]);
  return visit;
}

/** Marked, and nothing else said: no fallback is a control. */
export function expectFailedOpen(visit: Visit): void {
  expect(ours(visit.seen)).toEqual(["x-experiment-failed-open"]);
  expect(visit.stamp("failed-open")).toMatch(/^(error|budget|circuit_open|session)$/);
}
