/** Visits through the whole Worker: a page, a log-in, and what the queue brings about, each message once. */
import login, { type Env as LoginEnv } from "../../../../src/worker.ts";
import records, { type RecordsEnv } from "../../../../src/workers/records.ts";

export type VisitEnv = Pick<LoginEnv, "SNAPSHOTS" | "COHORTS"> & RecordsEnv;

export interface Visited {
  /** On the queue. */
  messages: number;
  /** To Durable Objects. */
  calls: number;
}

const host = "https://login.example.com";
const navigation = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-user": "?1" };
const browser =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 Safari/537.36";

/** A provider in a few lines: a page, and on to the application once the form comes. */
function answerOf(request: Request): Response {
  if (request.method === "POST") {
    return new Response(null, {
      status: 302,
      headers: { location: "https://app.example.com/callback?code=c&state=s" },
    });
  }
  return new Response("<!doctype html><html><body>Sign in</body></html>", { headers: { "content-type": "text/html" } });
}

/** Each log-in ends a minute after its page; so long after, the two are not in one batch. */
export async function makeVisits(env: VisitEnv, count: number, batchSize: number): Promise<Visited> {
  const waiting: unknown[] = [];
  let [messages, calls] = [0, 0];
  const EVENTS = {
    async sendBatch(sent: Iterable<{ body: unknown }>) {
      for (const { body } of sent) waiting.push(JSON.parse(JSON.stringify(body)));
    },
  };
  const watched = (namespace: DurableObjectNamespace) =>
    new Proxy(namespace, {
      get(target, name) {
        if (name === "get") calls++;
        const value = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  // Nobody here comes for a page or the management API.
  const behind = { MANAGEMENT: {}, DASHBOARD: {} };
  const objects = { LEDGER: watched(env.LEDGER), LOGBOOK: watched(env.LOGBOOK) };
  const own = { ...env, ...behind, ...objects, EVENTS } as unknown as LoginEnv & RecordsEnv;

  const realFetch = globalThis.fetch;
  globalThis.fetch = async (input) => answerOf(input as Request);
  async function send(request: Request): Promise<Response> {
    const works: Promise<unknown>[] = [];
    const ctx = {
      waitUntil: (work: Promise<unknown>) => void works.push(work),
      passThroughOnException() {},
      props: {},
    };
    const response = await login.fetch(request as never, own, ctx as never);
    await response.arrayBuffer();
    await Promise.all(works);
    return response as unknown as Response;
  }
  async function consumeAll(): Promise<void> {
    while (waiting.length > 0) {
      const bodies = waiting.splice(0, batchSize);
      messages += bodies.length;
      let acked = 0;
      const of = bodies.map((body, at) => ({
        id: String(at),
        timestamp: new Date(),
        attempts: 1,
        body,
        ack: () => void acked++,
        retry() {},
      }));
      const batch = { queue: "vestibule-events", messages: of, ackAll() {}, retryAll() {} };
      await records.queue(batch as unknown as MessageBatch, own);
      if (acked < bodies.length) throw new Error("a message was not taken");
    }
  }

  try {
    const cookies: string[] = [];
    for (let at = 0; at < count; at++) {
      const page = await send(new Request(`${host}/login`, { headers: { ...navigation, "user-agent": browser } }));
      cookies.push(
        page.headers
          .getSetCookie()
          .map((cookie) => cookie.split(";", 1)[0])
          .join("; "),
      );
      if (batchSize < 100) await consumeAll();
    }
    await consumeAll();
    for (const cookie of cookies) {
      const headers = {
        ...navigation,
        "user-agent": browser,
        cookie,
        "content-type": "application/x-www-form-urlencoded",
      };
      await send(new Request(`${host}/login`, { method: "POST", headers, body: "user=anna" }));
      if (batchSize < 100) await consumeAll();
    }
    await consumeAll();
  } finally {
    globalThis.fetch = realFetch;
  }
  return { messages, calls };
}
