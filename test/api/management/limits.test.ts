import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createRateLimiter } from "../../../src/control/rate-limit.ts";
import { bindings } from "../../all-workers.ts";
import { type Answer, type Client, createClient, rootToken } from "../client.ts";

const rules = [{ match: { device_type: ["mobile"] } }];

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("the rate", () => {
  let client: Client;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2030-01-01T00:00:00Z") });
    client = createClient({ vars: { MANAGEMENT_RATE: "2" } });
  });
  const now = () => Date.now() / 1_000;
  const told = ({ headers }: Answer) =>
    ["limit", "remaining", "reset"].map((name) => Number(headers.get(`x-ratelimit-${name}`)));

  it("is told with every answer to who is known, right or wrong", async () => {
    const { id } = await client.post("/segments", { name: "Phones", rules });
    let remaining = 18;
    for (const [method, path, body, status] of [
      ["GET", `/segments/${id}`, undefined, 200],
      ["GET", "/segments/seg_1", undefined, 404],
      ["GET", "/segments?x=1", undefined, 400],
      ["POST", "/segments", "{", 400],
      ["POST", "/segments", { name: "Phones", rules }, 409],
      ["PUT", "/segments", undefined, 405],
      ["GET", "/nothing", undefined, 404],
      ["DELETE", `/segments/${id}`, undefined, 204],
    ] as const) {
      const answer = await client.send(method, path, body, { "content-type": "application/json" });
      expect([answer.status, ...told(answer)]).toEqual([
        status,
        20,
        remaining--,
        Math.ceil(now() + (19 - remaining) / 2),
      ]);
    }
  });

  it("holds ten seconds' worth at once, and then lets through as many as the setting says", async () => {
    for (let count = 0; count < 20; count++) expect((await client.send("GET", "/segments")).status).toBe(200);
    const refused = await client.send("GET", "/segments");
    expect(refused.status).toBe(429);
    expect(refused.body).toEqual({
      statusCode: 429,
      error: "Too Many Requests",
      message: "Too many requests. Check the X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset headers.",
      errorCode: "too_many_requests",
    });
    expect(told(refused)).toEqual([20, 0, now() + 10]);
    expect(refused.headers.get("retry-after")).toBe("1");

    vi.setSystemTime(Date.now() + 1_000);
    const statuses = [];
    for (let count = 0; count < 3; count++) statuses.push((await client.send("GET", "/segments")).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  it("is each actor's own", async () => {
    const { token } = await client.post("/tokens", { name: "Other", scopes: ["read:experimentation"] });
    for (let count = 0; count < 20; count++) await client.send("GET", "/segments");
    expect((await client.send("GET", "/segments")).status).toBe(429);
    const other = await client.send("GET", "/segments", undefined, { authorization: `Bearer ${token}` });
    expect([other.status, ...told(other).slice(0, 2)]).toEqual([200, 20, 19]);
  });

  it("is spent by nobody who is not let in", async () => {
    for (let count = 0; count < 50; count++) {
      const headers = { authorization: `Bearer vst_${"A".repeat(43)}` };
      expect((await client.send("GET", "/segments", undefined, headers)).status).toBe(401);
    }
    expect(told(await client.send("GET", "/segments"))[1]).toBe(19);
  });

  it("is 100 a second unless set", async () => {
    expect(told(await createClient().send("GET", "/segments")).slice(0, 2)).toEqual([1_000, 999]);
  });
});

describe("buckets", () => {
  it("let through the rate and the burst, whatever the order", () => {
    let at = 0;
    const { take } = createRateLimiter({ perSecond: 3, burst: 6 }, () => at);
    let admitted = 0;
    for (; at < 10_000; at += 7) if (!take("a").isExceeded) admitted++;
    expect(admitted).toBeGreaterThanOrEqual(35);
    expect(admitted).toBeLessThanOrEqual(36);
  });

  it("tell how many remain, and when they are full again", () => {
    const { take, giveBack } = createRateLimiter({ perSecond: 3, burst: 3 }, () => 1_000);
    expect([take("a"), take("a"), take("a")].map(({ remaining }) => remaining)).toEqual([2, 1, 0]);
    expect(take("a")).toEqual({ isExceeded: true, limit: 3, remaining: 0, resetAt: 2, retryAfter: 1 });
    giveBack("a");
    expect(take("a").isExceeded).toBe(false);
  });

  it("of a hundred thousand keys take no room for ever", () => {
    let at = 0;
    const { take } = createRateLimiter({ perSecond: 1, burst: 1 }, () => at++);
    for (let key = 0; key < 100_000; key++) expect(take(String(key)).isExceeded).toBe(false);
  });
});

describe("a flood of made-up tokens", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
  });
  const madeUp = (count: number) => `Bearer vst_${String(count).padStart(43, "x")}`;
  const from = (ip: string, authorization: string) => ({ "cf-connecting-ip": ip, authorization });

  async function flood(client: Client, ip: (count: number) => string) {
    const statuses: number[] = [];
    for (let count = 0; count < 110; count++) {
      statuses.push((await client.send("GET", "/segments", undefined, from(ip(count), madeUp(count)))).status);
    }
    return statuses;
  }

  it("is turned away before the control plane is asked", async () => {
    const { CONTROL: real } = bindings;
    let asked = 0;
    const CONTROL = {
      idFromName: (name: string) => real.idFromName(name),
      get(id: DurableObjectId) {
        asked++;
        return real.get(id);
      },
    };
    const client = createClient({ vars: { CONTROL } });
    const statuses = await flood(client, () => "192.0.2.1");
    expect([statuses.slice(0, 100), statuses.slice(100)]).toEqual([Array(100).fill(401), Array(10).fill(429)]);
    expect(asked).toBe(100);
    const answer = await client.send("GET", "/segments", undefined, from("192.0.2.1", madeUp(1_000)));
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "1"]);

    vi.setSystemTime(Date.now() + 1_000);
    expect((await client.send("GET", "/segments", undefined, from("192.0.2.1", madeUp(1_001)))).status).toBe(401);
  });

  it("comes from one client, though it has many addresses", async () => {
    const statuses = await flood(createClient(), (count) => `2001:db8::${count.toString(16)}:1`);
    expect(statuses.at(-1)).toBe(429);
  });

  it("is nobody else's concern", async () => {
    const client = createClient();
    const { token } = await client.post("/tokens", { name: "Known", scopes: ["read:experimentation"] });
    const known = from("192.0.2.1", `Bearer ${token}`);
    expect((await client.send("GET", "/segments", undefined, known)).status).toBe(200);
    expect((await flood(client, () => "192.0.2.1")).at(-1)).toBe(429);

    expect((await client.send("GET", "/segments", undefined, known)).status).toBe(200);
    expect((await client.send("GET", "/segments", undefined, from("192.0.2.1", `Bearer ${rootToken}`))).status).toBe(
      200,
    );
    expect((await client.send("GET", "/segments", undefined, from("192.0.2.2", madeUp(0)))).status).toBe(401);
    expect((await client.send("GET", "/segments", undefined, from("2001:db8:0:1::1", madeUp(0)))).status).toBe(401);
  });

  it("is not what many genuine requests are", async () => {
    const client = createClient();
    const { token } = await client.post("/tokens", { name: "Known", scopes: ["read:experimentation"] });
    const headers = from("192.0.2.1", `Bearer ${token}`);
    for (let count = 0; count < 120; count++) {
      expect((await client.send("GET", "/segments", undefined, headers)).status).toBe(200);
    }
  });
});

describe("the correlation id", () => {
  it.each([
    ["GET", "/segments", 200],
    ["GET", "/segments/seg_1", 404],
    ["GET", "/nothing", 404],
    ["PUT", "/segments", 405],
    ["POST", "/segments", 400],
  ])("comes back with %s %s", async (method, path, status) => {
    const answer = await createClient().send(method, path, undefined, { "x-correlation-id": "deploy-7/a" });
    expect([answer.status, answer.headers.get("x-correlation-id")]).toEqual([status, "deploy-7/a"]);
  });

  it("comes back to who is not let in", async () => {
    const headers = { "x-correlation-id": "deploy-7" };
    const answer = await createClient({ token: "wrong" }).send("GET", "/segments", undefined, headers);
    expect([answer.status, answer.headers.get("x-correlation-id")]).toEqual([401, "deploy-7"]);
  });

  it.each(["", "x".repeat(65), "two words", "a\tb"])("is replaced where it cannot be kept: %j", async (given) => {
    const client = createClient();
    const made = await client.send("POST", "/segments", { name: "Phones", rules }, { "x-correlation-id": given });
    const replaced = made.headers.get("x-correlation-id");
    expect(replaced).toMatch(/^[0-9a-f-]{36}$/);
    expect((await client.get("/changes")).changes[0].correlation_id).toBe(replaced);
  });

  it("may be as long as this", async () => {
    const given = "~!".repeat(32);
    const { headers } = await createClient().send("GET", "/segments", undefined, { "x-correlation-id": given });
    expect(headers.get("x-correlation-id")).toBe(given);
  });
});

describe("addresses", () => {
  it.each([
    ["GET", ""],
    ["GET", "/"],
    ["GET", "/nothing"],
    ["GET", "/segments/"],
    ["GET", "/segments//"],
    ["GET", "//segments"],
    ["GET", "/segments/seg_1/more"],
    ["GET", "/Segments"],
    ["POST", "/segments/%"],
    ["GET", "/segments/%ff"],
    ["GET", "/segments/%E0%A4%A"],
    ["OPTIONS", "/"],
  ])("that do not exist: %s %s", async (method, path) => {
    const { status, body } = await createClient().send(method, path);
    expect([status, body]).toEqual([
      404,
      {
        statusCode: 404,
        error: "Not Found",
        message: "There is nothing at this address.",
        errorCode: "address_not_found",
      },
    ]);
  });

  it.each([
    ["PUT", "/segments", "GET, HEAD, POST"],
    ["DELETE", "/segments", "GET, HEAD, POST"],
    ["OPTIONS", "/segments", "GET, HEAD, POST"],
    ["POST", "/segments/seg_1", "GET, HEAD, PATCH, DELETE"],
    ["GET", "/experiments/exp_1/validate", "POST"],
  ])("do not know every method: %s %s", async (method, path, allow) => {
    const { status, body, headers } = await createClient().send(method, path);
    expect([status, body.error, body.errorCode]).toEqual([405, "Method Not Allowed", "method_not_allowed"]);
    expect(body.message).toBe(`This address does not know the method. It knows ${allow}.`);
    expect(headers.get("allow")).toBe(allow);
  });

  it.each(["/segments/seg_%00", "/segments/%2F..%2F", "/segments/__proto__", "/segments/%E2%82%AC"])(
    "may hold anything: %s",
    async (path) => {
      const { status, body } = await createClient().send("GET", path);
      expect([status, body.errorCode]).toEqual([404, "segment_not_found"]);
    },
  );

  it("are decoded", async () => {
    const client = createClient();
    const { id } = await client.post("/segments", { name: "Phones", rules });
    expect((await client.get(`/segments/${id.replace("_", "%5F")}`)).id).toBe(id);
  });

  it("answer HEAD as GET, without the body", async () => {
    const client = createClient();
    const { id } = await client.post("/segments", { name: "Phones", rules });
    for (const [path, status] of [
      [`/segments/${id}`, 200],
      ["/segments/seg_1", 404],
      ["/segments?x=1", 400],
    ] as const) {
      const answer = await client.send("HEAD", path);
      expect([answer.status, answer.text]).toEqual([status, ""]);
      expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    }
  });

  it("are stored by no cache", async () => {
    expect((await createClient().send("GET", "/segments")).headers.get("cache-control")).toBe("no-store");
  });
});

describe("a control plane that cannot be reached", () => {
  const broken = (execute: () => Promise<unknown>) => ({ idFromName: () => ({}), get: () => ({ execute }) });

  it.each<[string, () => Promise<unknown>]>([
    ["fails", () => Promise.reject(new Error("overloaded at /src/secret.ts:1"))],
    [
      "throws",
      () => {
        throw new TypeError("x is not a function");
      },
    ],
    ["hangs", () => new Promise(() => {})],
  ])("is told within seconds: it %s", { timeout: 10_000 }, async (_, execute) => {
    const lines = vi.spyOn(console, "error").mockImplementation(() => {});
    const { send } = createClient({ vars: { CONTROL: broken(execute) } });
    const answer = await send("GET", "/segments", undefined, { "x-correlation-id": "mine" });
    expect([answer.status, answer.body]).toEqual([
      503,
      {
        statusCode: 503,
        error: "Service Unavailable",
        message: "The control plane cannot be reached; try again.",
        errorCode: "control_unavailable",
      },
    ]);
    expect(answer.headers.get("x-correlation-id")).toBe("mine");
    expect(JSON.parse(String(lines.mock.calls[0]?.[0]))).toMatchObject({
      message: "the control plane cannot be reached",
      correlation_id: "mine",
    });
  });

  it("may have done what it was asked, and that is said", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const CONTROL = broken(() => Promise.reject(new Error("gone")));
    const { status, body } = await createClient({ vars: { CONTROL } }).send("POST", "/segments", {
      name: "Phones",
      rules,
    });
    expect([status, body.message]).toEqual([
      503,
      "The control plane cannot be reached; try again. It may have been done: look first.",
    ]);
  });

  it("is none that has a bug: that is logged, and told without a word of it", async () => {
    const lines = vi.spyOn(console, "error").mockImplementation(() => {});
    const client = createClient();
    await client.get("/segments");
    await runInDurableObject(client.control(), (_, { storage }) => {
      storage.sql.exec("ALTER TABLE change RENAME TO elsewhere");
    });
    const answer = await client.send("GET", "/changes", undefined, { "x-correlation-id": "mine" });
    expect([answer.status, answer.body]).toEqual([
      500,
      {
        statusCode: 500,
        error: "Internal Server Error",
        message: "Something failed on our side.",
        errorCode: "internal_error",
      },
    ]);
    expect(JSON.parse(String(lines.mock.calls[0]?.[0]))).toMatchObject({
      message: "a command failed",
      command: "get_changes",
      correlation_id: "mine",
      tenant: client.tenant,
    });
  });
});

it("with wrong settings nothing is managed, though the health page says what is wrong", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const { status, body } = await createClient({ vars: { STAMP_KEY: "" } }).send("GET", "/segments");
  expect([status, body.errorCode]).toEqual([503, "control_unavailable"]);
  expect(body.message).toContain("GET /_vestibule/health");
});
