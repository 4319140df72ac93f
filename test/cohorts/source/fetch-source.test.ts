import { describe, expect, it, vi } from "vitest";
import { openSource, type SourceRequest, type Validators } from "../../../src/cohorts/source/fetch-source.ts";
import { createTally, readMembers } from "../../../src/cohorts/source/members.ts";
import { SourceError } from "../../../src/cohorts/source/source-error.ts";
import { type SourceLimits, sourceLimits } from "../../../src/cohorts/source/source-limits.ts";
import { parseAllowedHosts } from "../../../src/model/allowed-hosts.ts";
import type { CohortFormat } from "../../../src/model/cohort.ts";
import { answer, createSource, gzip, head, join, origin, type ScriptedSource } from "./scripted-source.ts";
import type { Step } from "./source-server.ts";

interface Options extends Partial<Omit<SourceRequest, "source" | "limits">> {
  format?: CohortFormat;
  limits?: Partial<SourceLimits>;
  query?: string;
}

const formOf = (url: string, { format = "ndjson", query = "" }: Options) =>
  ({ type: "url", url: `${url}${query}`, format }) as const;

const open = (url: string, options: Options = {}) =>
  openSource({
    allowed: parseAllowedHosts(origin()).allowed,
    fetch: (target, init) => fetch(target, init),
    ...options,
    source: formOf(url, options),
    limits: { ...sourceLimits, ...options.limits },
  });

/** Everything the source has to say. */
async function take(
  url: string,
  options: Options = {},
): Promise<{ ids: string[]; validators: Validators } | "unchanged"> {
  const opened = await open(url, options);
  if (opened.unchanged) return "unchanged";
  const ids: string[] = [];
  const tally = createTally();
  const limits = { ...sourceLimits, ...options.limits };
  for await (const batch of readMembers(opened.stream, formOf(url, options), tally, limits)) ids.push(...batch);
  const { amplitudeLastModified } = tally;
  return { ids, validators: { ...opened.validators, ...(amplitudeLastModified ? { amplitudeLastModified } : {}) } };
}

async function faultOf(source: string | ScriptedSource, options: Options = {}): Promise<SourceError> {
  const url = typeof source === "string" ? source : source.url;
  const error = await take(url, options).then(
    (taken) => `no error, but ${JSON.stringify(taken).slice(0, 200)}`,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(SourceError);
  const fault = error as SourceError;
  expect(fault.message.startsWith(`${url.split("?")[0]}: `)).toBe(true);
  expect(fault.message).not.toMatch(/secret|c2VjcmV0/);
  return fault;
}

const expectClosed = ({ seen }: ScriptedSource) =>
  vi.waitFor(async () => expect((await seen()).map(({ isClosed }) => isClosed)).toEqual([true]), { timeout: 5_000 });

const members = Array.from({ length: 20_000 }, (_, number) => `üser ${number * 2_654_435_761}`);
const lines = members.map((id) => `${JSON.stringify(id)}\n`).join("");
const bytes = new TextEncoder().encode(lines);

describe("what is asked", () => {
  it("is asked once, plainly, past every cache", async () => {
    const source = await createSource(answer(lines));
    expect(await take(source.url, { query: "?page=1&x=%20" })).toEqual({ ids: members, validators: {} });
    const [{ target = "", headers = {} } = {}, ...others] = await source.seen();
    expect(others).toEqual([]);
    expect(target.endsWith("?page=1&x=%20")).toBe(true);
    expect(headers).toMatchObject({
      "accept-encoding": "gzip",
      "cache-control": "no-cache",
      "user-agent": "Vestibule",
    });
    expect(headers).not.toHaveProperty("authorization");
    expect(headers).not.toHaveProperty("if-none-match");
    expect(headers).not.toHaveProperty("if-modified-since");
  });

  it("with credentials in their header", async () => {
    const source = await createSource(answer(lines));
    await take(source.url, { credentials: { type: "basic", username: "kéy", password: "secret:" } });
    const [seen] = await source.seen();
    expect(seen?.headers.authorization).toBe(`Basic ${btoa("k\u00c3\u00a9y:secret:")}`);

    const other = await createSource(answer(lines));
    await take(other.url, { credentials: { type: "bearer", token: "secret" } });
    expect((await other.seen())[0]?.headers.authorization).toBe("Bearer secret");
  });

  it("with credentials that no header may hold: not at all", async () => {
    const source = await createSource(answer(lines));
    const fault = await faultOf(source, { credentials: { type: "bearer", token: "secret\r\nx-other: 1" } });
    expect(fault.code).toBe("forbidden_address");
    expect(await source.seen()).toEqual([]);
  });

  it("no address that is not allowed, even when it was saved before", async () => {
    const source = await createSource(answer(lines));
    const fault = await faultOf(source, { allowed: ["data.example.com"], query: "?signature=secret" });
    expect(fault).toMatchObject({
      code: "forbidden_address",
      message: `${source.url}: must begin with https:, not http:`,
    });
    expect(await source.seen()).toEqual([]);
  });

  it.each(["ndjson", "json", "csv", "amplitude"] as const)("for %s, whatever it calls itself", async (format) => {
    const text = {
      ndjson: '"a"\n"b"\n"a"\n',
      json: '["a", "b", "a"]',
      csv: 'name,id\n"x, y",a\nz,b\n,a',
      amplitude: '{"cohortId": "x", "lastModified": 5, "size": 3, "memberIds": ["a", "b", "a"]}',
    }[format];
    const source = await createSource(answer(text, { "content-type": "image/png" }));
    expect(await take(source.url, { format })).toMatchObject({ ids: ["a", "b", "a"] });
  });
});

describe("unchanged", () => {
  it("by ETag and Last-Modified, with 304", async () => {
    const first = await createSource(
      answer(lines, { etag: 'W/"1"', "last-modified": "Sat, 21 Nov 2026 10:00:00 GMT" }),
    );
    const taken = await take(first.url);
    const validators = { etag: 'W/"1"', lastModified: "Sat, 21 Nov 2026 10:00:00 GMT" };
    expect(taken).toMatchObject({ validators });

    const second = await createSource([head(304, { etag: 'W/"1"' })]);
    expect(await take(second.url, { conditional: validators })).toBe("unchanged");
    expect((await second.seen())[0]?.headers).toMatchObject({
      "if-none-match": 'W/"1"',
      "if-modified-since": "Sat, 21 Nov 2026 10:00:00 GMT",
    });
  });

  it("by either alone, and answered in full where it did change", async () => {
    const source = await createSource(answer(lines, { etag: '"2"' }));
    expect(await take(source.url, { conditional: { etag: '"1"' } })).toEqual({
      ids: members,
      validators: { etag: '"2"' },
    });
    const [seen] = await source.seen();
    expect(seen?.headers["if-none-match"]).toBe('"1"');
    expect(seen?.headers).not.toHaveProperty("if-modified-since");
  });

  it("by Amplitude's lastModified, with 204", async () => {
    const credentials = { type: "basic", username: "key", password: "secret" } as const;
    const first = await createSource(answer('{"lastModified": 1700000000000, "memberIds": ["a"]}'));
    const options = {
      format: "amplitude",
      credentials,
      query: "?lastModified=1&x=2",
      limits: { members: 500 },
    } as const;
    const taken = await take(first.url, options);
    expect(taken).toEqual({ ids: ["a"], validators: { amplitudeLastModified: 1_700_000_000_000 } });
    expect((await first.seen())[0]?.target).toMatch(/\?x=2&maxCohortSize=500$/);

    const second = await createSource([head(204)]);
    const conditional = { amplitudeLastModified: 1_700_000_000_000 };
    expect(await take(second.url, { ...options, query: "?maxCohortSize=7", conditional })).toBe("unchanged");
    const [seen] = await second.seen();
    expect(seen?.target).toMatch(/\?maxCohortSize=7&lastModified=1700000000000$/);
    expect(seen?.headers.authorization).toBe(`Basic ${btoa("key:secret")}`);
  });

  it("by nothing that could not be sent back", async () => {
    const source = await createSource(answer(lines, { etag: '"é"', "last-modified": "x".repeat(2_000) }));
    expect(await take(source.url)).toMatchObject({ validators: {} });
  });

  it.each([304, 204])("is not believed when nothing was there before: %i", async (status) => {
    const fault = await faultOf(await createSource([head(status)]));
    expect(fault).toMatchObject({ code: "bad_answer" });
    expect(fault.message).toContain(`HTTP ${status} to a request without conditions`);
    const conditional = { amplitudeLastModified: 1 };
    expect(await faultOf(await createSource([head(status)]), { conditional })).toMatchObject({ code: "bad_answer" });
  });
});

describe("refused", () => {
  it.each([
    [401, "HTTP 401: no credentials are given"],
    [403, "HTTP 403: no credentials are given"],
    [404, "HTTP 404"],
    [500, "HTTP 500"],
    [503, "HTTP 503"],
    [202, "HTTP 202"],
    [206, "HTTP 206"],
    [413, "HTTP 413"],
  ])("with %i", async (status, message) => {
    const source = await createSource([head(status, { "content-length": 100 }), lines.slice(0, 50)]);
    const fault = await faultOf(source);
    expect(fault).toMatchObject({ code: "bad_answer", message: `${source.url}: ${message}`, retryAfterMs: undefined });
    await expectClosed(source);
  });

  it("with 401, credentials or not", async () => {
    const source = await createSource(answer("secret", {}, 401));
    const fault = await faultOf(source, { credentials: { type: "bearer", token: "secret" } });
    expect(fault.message).toBe(`${source.url}: HTTP 401: the credentials are refused`);
  });

  it("with 429 and when to come again", async () => {
    const source = await createSource(answer("", { "retry-after": "120" }, 429));
    expect(await faultOf(source)).toMatchObject({ code: "bad_answer", retryAfterMs: 120_000 });
  });

  it("with 413 by Amplitude, which has more than was asked for", async () => {
    const source = await createSource(answer("", {}, 413));
    const fault = await faultOf(source, { format: "amplitude", limits: { members: 10 } });
    expect(fault).toMatchObject({
      code: "too_many_members",
      message: `${source.url}: HTTP 413: the cohort has more than 10 members`,
    });
  });

  it.each([301, 302, 303, 307, 308])("when it leads elsewhere with %i", async (status) => {
    const target = await createSource(answer(lines));
    const source = await createSource(answer("", { location: `${target.url}?signature=secret` }, status));
    const fault = await faultOf(source, { credentials: { type: "bearer", token: "secret" } });
    expect(fault).toMatchObject({
      code: "redirect",
      message: `${source.url}: HTTP ${status}: redirects are not followed (to ${target.url})`,
    });
    expect(await target.seen()).toEqual([]);
  });

  it("when nobody is there, or no HTTP is spoken", async () => {
    for (const steps of [[{ end: "close" }], [{ end: "reset" }], ["SSH-2.0-OpenSSH_9.9\r\n", { end: "close" }]]) {
      const source = await createSource(steps as (string | Step)[]);
      expect(await faultOf(source)).toMatchObject({ code: "unreachable" });
    }
    const nobody = "http://127.0.0.1:1";
    expect(await faultOf(`${nobody}/x`, { allowed: [nobody] })).toMatchObject({ code: "unreachable" });
  });
});

describe("compressed", () => {
  it("by Content-Encoding", async () => {
    const source = await createSource(answer(await gzip(bytes), { "content-encoding": "gzip" }));
    expect(await take(source.url)).toMatchObject({ ids: members });
  });

  it.each([{}, { "content-type": "application/gzip" }, { "content-encoding": "x-gzip" }])(
    "as a file that is gzip by itself: %j",
    async (headers) => {
      const [all, half, other] = [await gzip(bytes), await gzip(bytes.slice(0, 1_000)), await gzip(bytes.slice(1_000))];
      // The second of several members, which `cat a.gz b.gz` makes; the third with padding, which tape archives add.
      for (const body of [all, join(half, other), join(all, new Uint8Array(512))]) {
        const source = await createSource(answer(body, headers));
        expect(await take(source.url)).toMatchObject({ ids: members });
      }
    },
  );

  it("as a file that comes byte by byte at first", async () => {
    const file = await gzip('"a"\n');
    const source = await createSource([
      head(200, { "content-length": file.length }),
      file.slice(0, 1),
      { waitMs: 20 },
      file.slice(1, 2),
      { waitMs: 20 },
      file.slice(2),
    ]);
    expect(await take(source.url)).toMatchObject({ ids: ["a"] });
  });

  it.each([{ "content-encoding": "gzip" }, {}])("and damaged: an error, never a shorter list: %j", async (headers) => {
    const whole = await gzip(bytes);
    const flipped = whole.slice();
    flipped[flipped.length >> 1] = (flipped[flipped.length >> 1] ?? 0) ^ 0xff;
    const wrongSum = whole.slice();
    wrongSum[wrongSum.length - 6] = (wrongSum[wrongSum.length - 6] ?? 0) ^ 0xff;
    const trailing = join(whole, new TextEncoder().encode("garbage"));
    const cut = [1, 4, 8, 9, 500, whole.length - 20].map((length) => whole.slice(0, whole.length - length));
    for (const body of [flipped, wrongSum, trailing, ...cut]) {
      const source = await createSource(answer(body, headers));
      const fault = await faultOf(source);
      // What was spoilt may be text before it is known to be.
      if (body === flipped && fault.code === "syntax") continue;
      expect(fault.code).toBe("interrupted");
      expect(fault.message).toMatch(/: (broke off after|damaged gzip, within the first) \d+ bytes: ./);
    }
  });

  it("without being so", async () => {
    const source = await createSource(answer(lines, { "content-encoding": "gzip" }));
    expect(await faultOf(source)).toMatchObject({ code: "interrupted" });
  });

  it("in a way that is not known", async () => {
    const source = await createSource(answer(lines, { "content-encoding": "zstd" }));
    const fault = await faultOf(source);
    expect(fault).toMatchObject({
      code: "bad_answer",
      message: `${source.url}: Content-Encoding must be gzip, not zstd`,
    });
  });

  it.each([{ "content-encoding": "gzip" }, {}])("to little of very much: %j", async (headers) => {
    const blank = await gzip(new Uint8Array(20_000_000).fill(0x0a));
    const source = await createSource(answer(blank, headers));
    expect(await faultOf(source, { limits: { bytes: 1_000_000 } })).toMatchObject({ code: "too_large" });
    await expectClosed(source);
  });
});

describe("without a sound end", () => {
  it.each(["ndjson", "json", "csv", "amplitude"] as const)("%s of no bytes", async (format) => {
    for (const headers of [{}, { "content-encoding": "gzip" }]) {
      const body = "content-encoding" in headers ? await gzip("") : "";
      expect(await faultOf(await createSource(answer(body, headers)), { format })).toMatchObject({ code: "empty" });
    }
    expect(await faultOf(await createSource(answer(await gzip(""))), { format })).toMatchObject({ code: "empty" });
  });

  it.each(["close", "reset"] as const)("longer than it is: %s", async (end) => {
    const source = await createSource([
      head(200, { "content-length": bytes.length + 1 }),
      bytes,
      { waitMs: 20 },
      { end },
    ]);
    const fault = await faultOf(source);
    expect(fault.code).toBe("interrupted");
    expect(fault.message).toContain(": broke off after ");
  });

  it("shorter than it is: what is over is none of it", async () => {
    const source = await createSource([head(200, { "content-length": 7 }), '"a"\n"b"\n"c"\n', { end: "close" }]);
    expect(await take(source.url)).toMatchObject({ ids: ["a", "b"] });
    const array = await createSource([head(200, { "content-length": 9 }), '["a", "b", "c"]', { end: "close" }]);
    expect(await faultOf(array, { format: "json" })).toMatchObject({ code: "syntax" });
  });

  it.each(["close", "reset"] as const)("in chunks, the last of which does not come: %s", async (end) => {
    const source = await createSource([
      head(200, { "transfer-encoding": "chunked" }),
      `${bytes.length.toString(16)}\r\n`,
      bytes,
      "\r\n",
      { waitMs: 20 },
      { end },
    ]);
    expect(await faultOf(source)).toMatchObject({ code: "interrupted" });
  });

  it("whose connection dies midway", async () => {
    const source = await createSource([head(200, {}), bytes, { waitMs: 20 }, { end: "reset" }]);
    expect(await faultOf(source)).toMatchObject({ code: "interrupted" });
  });
});

describe("within bounds", () => {
  it.each<[string, (string | Step)[]]>([
    ["nothing", []],
    ["half a head", ["HTTP/1.1 200 OK\r\n"]],
    ["a head", [head(200, { "content-length": 100 })]],
    ["half a body", [head(200, { "content-length": 100 }), '"a"\n']],
  ])("of patience, where %s came", async (_what, steps) => {
    const source = await createSource(steps);
    const fault = await faultOf(source, { limits: { stallMs: 200 } });
    expect(fault).toMatchObject({ code: "stalled", message: `${source.url}: no byte for 0.2 s` });
    await expectClosed(source);
  });

  it("of patience, also within a compressed file", async () => {
    const file = await gzip(bytes);
    const source = await createSource([head(200, { "content-length": file.length }), file.slice(0, 9_000)]);
    expect(await faultOf(source, { limits: { stallMs: 200 } })).toMatchObject({ code: "stalled" });
    await expectClosed(source);
  });

  it("which begin anew with each byte", async () => {
    const drops = Array.from({ length: 6 }, (_, number) => [{ waitMs: 300 }, `"${number}"\n`]).flat();
    const source = await createSource([...drops.slice(0, 1), head(200, { "content-length": 24 }), ...drops]);
    expect(await take(source.url, { limits: { stallMs: 1_500 } })).toMatchObject({
      ids: ["0", "1", "2", "3", "4", "5"],
    });
  });

  it("of time, however steady it drips", async () => {
    const drops = Array.from({ length: 100 }, () => ['"x"\n', { waitMs: 50 }]).flat();
    const source = await createSource([head(200, { "content-length": 4_000 }), ...drops]);
    const fault = await faultOf(source, { limits: { totalMs: 400 } });
    expect(fault).toMatchObject({ code: "timeout", message: `${source.url}: took more than 0.4 s` });
    await expectClosed(source);
  });

  it("of time, read or not", async () => {
    const source = await createSource([head(200, { "content-length": 100 }), '"a"\n']);
    const opened = await open(source.url, { limits: { totalMs: 200 } });
    await expectClosed(source);
    expect(opened.unchanged).toBe(false);
  });

  it("of size, whether it says so or not", async () => {
    const honest = await createSource(answer(lines));
    expect(await faultOf(honest, { limits: { bytes: 1_000 } })).toMatchObject({ code: "too_large" });
    await expectClosed(honest);

    const endless = Array.from({ length: 20 }, () => [`${bytes.length.toString(16)}\r\n`, bytes, "\r\n"]).flat();
    const silent = await createSource([head(200, { "transfer-encoding": "chunked" }), ...endless]);
    const fault = await faultOf(silent, { limits: { bytes: bytes.length * 10 } });
    expect(fault).toMatchObject({ code: "too_large" });
    await expectClosed(silent);
  });

  it("of members", async () => {
    const source = await createSource([
      head(200, { "transfer-encoding": "chunked" }),
      `${bytes.length.toString(16)}\r\n`,
      bytes,
    ]);
    const fault = await faultOf(source, { limits: { members: 10_000 } });
    expect(fault).toMatchObject({ code: "too_many_members", message: `${source.url}: more than 10000 members` });
    await expectClosed(source);
  });

  it("as long as somebody wants it", async () => {
    const before = await createSource(answer(lines));
    expect(await faultOf(before, { signal: AbortSignal.abort() })).toMatchObject({ code: "cancelled" });

    const during = await createSource([head(200, { "content-length": 100 }), '"a"\n']);
    const controller = new AbortController();
    const fault = faultOf(during, { signal: controller.signal });
    await vi.waitFor(async () => expect(await during.seen()).toHaveLength(1));
    controller.abort();
    expect(await fault).toMatchObject({ code: "cancelled" });
    await expectClosed(during);

    const left = await createSource([head(200, { "content-length": 100 }), '"a"\n']);
    const opened = await open(left.url);
    if (!opened.unchanged) await opened.stream.cancel();
    await expectClosed(left);
  });
});
