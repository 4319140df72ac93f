import { describe, expect, it, vi } from "vitest";
import { createSender, DeliveryError } from "../../../src/logs/streams/send.ts";
import type { LogStreamDefinition } from "../../../src/model/log-stream.ts";
import { answer, createSource, head, origin } from "../../cohorts/source/scripted-source.ts";
import { stream } from "../stage.ts";

const send = createSender({ fetch: (url, init) => fetch(url, init), allowed: [origin()], answerMs: 1_000 });

const to = (url: string, secrets: LogStreamDefinition["secrets"] = {}) =>
  stream("a", { sink: { ...stream("a").sink, http_endpoint: url }, secrets });

async function failureOf(url: string): Promise<DeliveryError> {
  const error = await send(to(`${url}?key=secret`, { http_authorization: "Bearer secret" }), "{}\n").catch(
    (one) => one,
  );
  expect(error).toBeInstanceOf(DeliveryError);
  expect(error.message).not.toContain("secret");
  return error;
}

describe("a receiver over HTTP", () => {
  it("gets the body and what it is told", async () => {
    const receiver = await createSource(answer("taken", {}, 202));
    const http_custom_headers = [{ header: "DD-API-KEY", value: "k 1" }];
    await send(
      to(`${receiver.url}?ddsource=vestibule`, { http_authorization: "Splunk k", http_custom_headers }),
      '{"é":1}\n',
    );
    const [seen] = await receiver.seen();
    expect(seen?.target).toMatch(/\?ddsource=vestibule$/);
    expect(seen?.body).toBe('{"é":1}\n');
    expect(seen?.headers).toMatchObject({
      authorization: "Splunk k",
      "dd-api-key": "k 1",
      "content-type": "application/x-ndjson",
      "content-length": "9",
    });
  });

  it("has taken it with a 2xx, whatever follows", async () => {
    const endless = await createSource([head(200), "x".repeat(100_000)]);
    const startedAt = Date.now();
    await send(to(endless.url), "{}\n");
    expect(Date.now() - startedAt).toBeLessThan(1_000);
  });

  it.each([
    ["that says no", answer("", {}, 500), /: HTTP 500$/],
    ["that wants to be left alone", answer("", { "retry-after": 7 }, 429), /: HTTP 429$/],
    ["that leads elsewhere", answer("", { location: "/other" }, 307), /: HTTP 307: redirects are not followed$/],
    ["that never answers", [], /: no answer in 1000 ms$/],
    ["that breaks off", [{ end: "reset" as const }], /^http:\/\/127\.0\.0\.1:\d+\/source\/[\w-]+: /],
    [
      "that speaks no HTTP",
      ["gibberish\r\n\r\n", { end: "close" as const }],
      /^http:\/\/127\.0\.0\.1:\d+\/source\/[\w-]+: /,
    ],
  ])("%s has not", async (name, steps, message) => {
    const receiver = await createSource(steps);
    const error = await failureOf(receiver.url);
    expect(error.message).toMatch(message);
    expect(error.retryAfterMs).toBe(name.includes("left alone") ? 7_000 : 0);
    // Nobody waits behind it: the connection is given up, too.
    await vi.waitFor(async () => expect(await receiver.seen()).toMatchObject([{ isClosed: true }]));
  });

  it("is not asked where it is not allowed", async () => {
    const receiver = await createSource(answer("taken"));
    const error = await failureOf(receiver.url.replace("127.0.0.1", "localhost"));
    expect(error.message).toMatch(/must begin with https:/);
    expect(await receiver.seen()).toEqual([]);
  });
});
