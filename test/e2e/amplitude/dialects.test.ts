/** What each of Amplitude's clients sends, byte by byte as it was captured or as its source writes it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sendRaw } from "../raw-client.ts";
import { everything } from "./everything.ts";
import { type House, startHouse } from "./house.ts";

let house: House;
beforeAll(async () => {
  house = await startHouse(everything);
});
afterAll(() => house.close());

const user = { user_id: "ユーザー😀?>~", device_id: "d-1", version: "2.3.0", user_properties: { plan: "pro" } };
const json = JSON.stringify(user);
const bytes = Buffer.from(json);
const standard = bytes.toString("base64");
const bare = bytes.toString("base64url");
const padded = standard.replaceAll("+", "-").replaceAll("/", "_");
const keys = Buffer.from('["plan","none"]');

/** Sends exactly this; `\n` stands for the end of a line. */
async function send(text: string, body: Buffer | string = "") {
  const length = body === "" ? "" : `Content-Length: ${Buffer.byteLength(body)}\n`;
  const head = `${text.trim()}\nHost: flags.example.com\n${length}\n`.replaceAll("\n", "\r\n");
  const [, method = ""] = /^(\w+)/.exec(text.trim()) ?? [];
  const answer = await sendRaw(house.directUrl, method, Buffer.from(head, "latin1"), body);
  const header = (name: string) => answer.head.headers.find(([each]) => each.toLowerCase() === name)?.[1];
  return { status: answer.status, header, text: answer.body.toString() };
}

const app = () => `Authorization: Api-Key ${house.keys.App}`;

describe("variants, as asked for by", () => {
  it.each<[client: string, request: () => [string, string?]]>([
    [
      "JS",
      () => [
        `GET /sdk/v2/vardata?v=0 HTTP/1.1\n${app()}\nX-Amp-Exp-User: ${bare}\nX-Amp-Exp-Flag-Keys: ${keys.toString("base64url")}`,
      ],
    ],
    [
      "Node",
      () => [
        `GET /sdk/v2/vardata?v=0 HTTP/1.1\n${app()}\nX-Amp-Exp-User: ${bare}\nX-Amp-Exp-Flag-Keys: ${keys.toString("base64url")}\nX-Amp-Exp-Track: no-track\nX-Amp-Exp-Exposure-Track: no-track\nConnection: keep-alive`,
      ],
    ],
    [
      "Android",
      () => [
        `GET /sdk/v2/vardata HTTP/1.1\n${app()}\nX-Amp-Exp-User: ${padded}\nX-Amp-Exp-Flag-Keys: ${keys.toString("base64")}\nAccept-Encoding: gzip\nUser-Agent: okhttp/4.9.3`,
      ],
    ],
    [
      "iOS",
      () => [
        `GET /sdk/v2/vardata?v=0 HTTP/1.1\n${app()}\nX-Amp-Exp-User: ${bare}\nX-Amp-Exp-Flag-Keys: ${keys.toString("base64url")}\nAccept-Encoding: gzip, deflate`,
      ],
    ],
    [
      "Go and JVM",
      () => [
        `GET /sdk/v2/vardata?v=0 HTTP/1.1\n${app()}\nX-Amp-Exp-User: ${standard}\nX-Amp-Exp-Flag-Keys: ${keys.toString("base64url")}\nContent-Type: application/json; charset=UTF-8`,
      ],
    ],
    [
      "PHP",
      () => [
        `GET /sdk/v2/vardata?v=0 HTTP/1.1\n${app()}\nX-Amp-Exp-User: ${standard}\nX-Amp-Exp-Flag-Keys: ${keys.toString("base64")}`,
      ],
    ],
    [
      "Python",
      () => [
        `POST /sdk/v2/vardata?v=0 HTTP/1.1\n${app()}\nContent-Type: application/json;charset=utf-8\nX-Amp-Exp-Flag-Keys: ${keys.toString("base64url")}\nAccept-Encoding: identity`,
        json,
      ],
    ],
    [
      "Ruby",
      () => [
        `POST /sdk/v2/vardata?v=0 HTTP/1.1\n${app()}\nContent-Type: application/json;charset=utf-8\nX-Amp-Exp-Flag-Keys: ${keys.toString("base64url")}\nAccept: */*\nUser-Agent: Ruby`,
        json,
      ],
    ],
    [
      "curl",
      () => [
        `GET /v1/vardata?user_id=${encodeURIComponent(user.user_id)}&device_id=d-1&flag_keys=plan,none&context=${encodeURIComponent('{"version":"2.3.0","user_properties":{"plan":"pro"}}')} HTTP/1.1\n${app()}\nAccept: */*`,
      ],
    ],
    [
      "curl, by POST",
      () => [`POST /v1/vardata?flag_key=plan HTTP/1.1\n${app()}\nContent-Type: application/json`, json],
    ],
    [
      "an older client",
      () => [
        `GET /sdk/vardata?user_id=${encodeURIComponent(user.user_id)}&flag_keys=plan&context=%7B%22user_properties%22%3A%7B%22plan%22%3A%22pro%22%7D%7D HTTP/1.1\n${app()}`,
      ],
    ],
    [
      "one with a slash too many",
      () => [
        `GET //sdk/v2/vardata?v=0 HTTP/1.1\n${app()}\nX-Amp-Exp-User: ${bare}\nX-Amp-Exp-Flag-Keys: ${keys.toString("base64url")}`,
      ],
    ],
  ])("%s", async (_, request) => {
    const answer = await send(...request());
    expect(answer.status).toBe(200);
    expect(answer.header("content-encoding")).toBeUndefined();
    const { plan, ...others } = JSON.parse(answer.text);
    expect([plan, others]).toEqual([
      {
        key: "on",
        value: "on",
        payload: { price: 1, note: "ü" },
        metadata: expect.objectContaining({ deployed: true, segmentName: "Those" }),
      },
      {},
    ]);
    expect(answer.text).not.toContain("null");
  });
});

describe("flags, as asked for by", () => {
  it.each([
    ["JS on a page", "App", "/sdk/v2/flags?delivery_method=web", "remote"],
    ["Android, PHP, Python", "App", "/sdk/v2/flags?v=0", "remote"],
    ["Node", "Back end", "/sdk/v2/flags", "local"],
    ["curl", "Back end", "/v1/flags", "local"],
  ])("%s", async (_, deployment, path, mode) => {
    const key = `Authorization: Api-Key ${house.keys[deployment]}`;
    const answer = await send(`GET ${path} HTTP/1.1\n${key}\nX-Amp-Exp-Library: some-sdk/1.0.0`);
    expect(answer.status).toBe(200);
    const flags: { key: string; segments: object[]; metadata: { evaluationMode: string } }[] = JSON.parse(answer.text);
    expect(new Set(flags.map(({ metadata }) => metadata.evaluationMode))).toEqual(new Set([mode]));
    const plan = flags.find((flag) => flag.key === "plan");
    if (mode === "remote") expect(plan?.segments).toEqual([{ metadata: { segmentName: "default" }, variant: "off" }]);
    else expect(plan?.segments).toHaveLength(2);
    const etag = answer.header("etag");
    expect((await send(`GET ${path} HTTP/1.1\n${key}\nIf-None-Match: ${etag}`)).status).toBe(304);
  });
});

it("a browser's preflight", async () => {
  const answer = await send(
    "OPTIONS /sdk/v2/vardata?v=0 HTTP/1.1\nOrigin: https://app.example.com\nAccess-Control-Request-Method: GET\nAccess-Control-Request-Headers: authorization,x-amp-exp-user,x-amp-exp-flag-keys",
  );
  expect(answer.status).toBe(204);
  expect(answer.header("access-control-allow-origin")).toBe("*");
  expect(answer.header("access-control-allow-headers")).toBe("authorization,x-amp-exp-user,x-amp-exp-flag-keys");
  expect(Number(answer.header("access-control-max-age"))).toBeGreaterThan(600);
});

it("an analytics SDK's events, as captured", async () => {
  const event = {
    time: Date.now(),
    insert_id: "user-1 d-1 -1258508975 20778",
    event_type: "[Experiment] Exposure",
    user_id: "user-1",
    device_id: "d-1",
    event_properties: {
      "[Experiment] Flag Key": "split",
      "[Experiment] Variant": "a",
      "[Experiment] Experiment Key": "exp_Parts",
      metadata: {
        deployed: true,
        evaluationMode: "local",
        experimentKey: "exp_Parts",
        flagVersion: 9,
        segmentName: "All Other Users",
      },
    },
    user_properties: { $set: { "[Experiment] split": "a" }, $unset: {} },
    event_id: 2,
    library: "amplitude-node-ts/1.5.73",
  };
  const body = JSON.stringify({
    api_key: house.keys["Back end"],
    events: [event],
    options: {},
    client_upload_time: "2026-11-21T07:54:18.651Z",
    request_metadata: { sdk: { metrics: { histogram: {} } } },
  });
  const answer = await send("POST /2/httpapi HTTP/1.1\nContent-Type: application/json", body);
  expect([answer.status, JSON.parse(answer.text)]).toEqual([
    200,
    {
      code: 200,
      events_ingested: 1,
      payload_size_bytes: Buffer.byteLength(body),
      server_upload_time: expect.any(Number),
    },
  ]);
  await house.untilCounted("exposure:exp_Parts", 1);
});
