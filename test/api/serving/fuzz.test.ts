/** Malformed requests at all fetch addresses: every one is answered, none with a fault of ours. */
import * as v from "valibot";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { queueMessage } from "../../../src/model/log-entry.ts";
import { cohort, experiment, flag, segment, variation, variations } from "../../model/resources.ts";
import { createFetchStage, everywhere, type FetchStage, keys } from "./stage.ts";

const count = 20_000;
const atOnce = 50;

/** mulberry32: the same requests in every run. */
let state = 7;
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
const below = (limit: number) => Math.floor(random() * limit);
const one = <T>(choices: readonly T[]): T => choices[below(choices.length)] as T;

const paths = [
  "/sdk/v2/vardata",
  "/sdk/vardata",
  "/v1/vardata",
  "/sdk/v2/flags",
  "/v1/flags",
  "/sdk/v1/cohort/coh_A",
  "/sdk/v1/cohort/",
  "/sdk/stream/v1/flags",
  "/2/httpapi",
  "/batch",
  "/_vestibule/v1/assignments",
  "/_vestibule/v1/exposures",
  "/_vestibule/v1/outcomes",
  "/_vestibule/v1/identify",
  "/_vestibule/v1/none",
  "/ofrep/v1/evaluate/flags",
  "/ofrep/v1/evaluate/flags/page",
  "/ofrep/v1/evaluate/flags/%ff%00",
];

/** What no client means, at any place in a body. */
const hostile: readonly (() => unknown)[] = [
  () => null,
  () => "",
  () => true,
  () => -0,
  () => 1e308,
  () => "x".repeat(below(5_000)),
  () => "\ud800",
  () => "\u0000",
  () => [],
  () => ({}),
  () => [[[[null]]]],
  () => JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":1},"toString":1}'),
  () => JSON.parse(`${"[".repeat(30)}${"]".repeat(30)}`),
  () => JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`),
  () => Object.fromEntries(Array.from({ length: below(300) }, (_, i) => [`k${i}`, i])),
  () => ["page", "__proto__", 7],
  () => "[1,",
  () => "2025-13-45T99:99:99Z",
];

const user = () => ({
  user_id: "u",
  device_id: "d",
  country: "de",
  version: "1.2.3",
  platform: "iOS",
  user_properties: { plan: "pro", "[Experiment] page": "a" },
  groups: { org: ["acme"] },
  group_properties: { org: { acme: { a: 1 } } },
});
const bodies: readonly (() => unknown)[] = [
  user,
  () => ({ user: user(), flag_keys: ["page"] }),
  () => ({ context: { targetingKey: "d", ...user() } }),
  () => ({ device_id: "d", user_id: "u", attributes: { country: "DE" }, flag_keys: ["page"] }),
  () => ({
    exposures: [{ id: "1", flag_key: "page", variation_id: "var_a", device_id: "d", at: "2025-01-01T00:00:00Z" }],
  }),
  () => ({
    outcomes: [{ id: "1", outcome: "login", device_id: "d", user_id: "u", at: new Date().toISOString() }],
  }),
  () => ({
    api_key: one([keys.client, keys.server, "nobody"]),
    events: [
      {
        event_type: one(["$exposure", "[Experiment] Assignment", "page_view"]),
        user_id: "u",
        device_id: "d",
        insert_id: "i",
        time: 1_700_000_000_000,
        event_properties: {
          flag_key: "page",
          variant: "a",
          experiment_key: "exp_Page",
          metadata: { epoch: 1, segmentId: "seg_S", segmentName: "S" },
          "page.variant": "a",
          "page.details": "v1 rule:S",
        },
        user_properties: { $set: { a: 1 } },
      },
    ],
  }),
];

/** Puts something hostile somewhere into it. */
function spoil(value: unknown): unknown {
  if (typeof value !== "object" || value === null || random() < 0.15) return one(hostile)();
  const entries = Object.entries(value);
  if (entries.length === 0) return one(hostile)();
  const [name, inner] = one(entries);
  if (Array.isArray(value)) return value.map((each, place) => (place === Number(name) ? spoil(inner) : each));
  if (random() < 0.1) return { ...value, [one(["", "__proto__", "a.b", "ü", "length"])]: one(hostile)() };
  return { ...value, [name]: spoil(inner) };
}

function spoilText(text: string): string {
  const at = below(text.length + 1);
  const insert = one(["", "\u0000", '"', "{", "}", "\\", "%", "é", "\ud83d", ",", "x".repeat(200)]);
  return text.slice(0, at) + insert + text.slice(at + below(4));
}

const spoiled = (value: unknown): string => {
  const text = JSON.stringify(random() < 0.7 ? spoil(value) : value) ?? "null";
  return random() < 0.3 ? spoilText(text) : text;
};

function encode(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const encoded = btoa(binary);
  const dialect = one([encoded, encoded.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")]);
  return random() < 0.2 ? spoilText(dialect) : dialect;
}

/** What may stand in a header. */
const printable = (text: string) => text.replace(/[^\x20-\x7e]/g, "?");

function query(): string {
  const names = [
    "user_id",
    "device_id",
    "flag_key",
    "flag_keys",
    "context",
    "experiment_id",
    "variation_id",
    "segment_id",
  ];
  const more = ["override_token", "maxCohortSize", "lastModified", "v", "eval_mode", "", "__proto__", "country"];
  const part = () => {
    const value = one([
      () => "u",
      () => spoiled(user()),
      () => "exp_Page",
      () => "var_c",
      () => "%ff%zz",
      () => "-1",
    ])();
    return `${one([...names, ...more])}=${random() < 0.7 ? encodeURIComponent(value.toWellFormed()) : printable(value)}`;
  };
  return Array.from({ length: below(5) }, part).join(one(["&", "&", "&&", ";"]));
}

function request(): [path: string, init: RequestInit & { key: string | null }] {
  const method = one(["GET", "GET", "POST", "POST", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH"]);
  const key = one([keys.client, keys.server, keys.client, keys.server, "nobody", null]);
  const pair = one([
    [keys.server, keys.server],
    [keys.client, keys.client],
    [keys.server, ""],
  ]);
  const basic = `Basic ${encode(pair.join(":"))}`;
  const headers: Record<string, string> = {};
  const maybe = (name: string, value: () => string, odds = 0.3) => {
    if (random() < odds) headers[name] = printable(value());
  };
  maybe(
    "authorization",
    () => one([basic, basic, "Bearer", "Api-Key ", `Bearer ${keys.client}`, "x ".repeat(99)]),
    0.3,
  );
  maybe("x-api-key", () => one([keys.client, "", "?"]), 0.1);
  maybe("x-amp-exp-user", () => encode(spoiled(user())), 0.5);
  maybe("x-amp-exp-flag-keys", () => encode(spoiled(["page", "users"])));
  maybe("x-amp-exp-track", () => one(["track", "no-track", "read-only", "?"]));
  maybe("x-amp-exp-exposure-track", () => one(["track", "no-track", ""]));
  maybe("x-amp-exp-library", () => "x".repeat(below(999)), 0.1);
  maybe("if-none-match", () => one(["*", '"', "W/", '"1-dep_Client-1"', ",,,"]), 0.2);
  maybe(
    "content-type",
    () => one(["application/json", "application/x-www-form-urlencoded", "text/plain", ";", "a/b;c=d"]),
    0.6,
  );
  maybe("content-encoding", () => one(["gzip", "br", "identity", "GZIP", "gzip, gzip"]), 0.05);
  maybe("access-control-request-headers", () => one(["x-amp-exp-user", "\\", "a".repeat(3_000)]), 0.2);
  maybe("user-agent", () => one(["", "iPhone", "x".repeat(3_000)]), 0.2);
  const body =
    method === "GET" || method === "HEAD" ? undefined : new TextEncoder().encode(spoiled(one(bodies)()).toWellFormed());
  if (body && random() < 0.05) body[below(body.length)] = 0xff;
  const path = `${random() < 0.1 ? "/" : ""}${one(paths)}${random() < 0.6 ? `?${query()}` : ""}`;
  return [path, { method, key, headers, ...(body === undefined ? {} : { body }) }];
}

let stage: FetchStage;
beforeAll(async () => {
  for (const method of ["debug", "log", "warn"] as const) vi.spyOn(console, method).mockImplementation(() => {});
  vi.stubGlobal("fetch", async () => new Response("from the origin", { status: 203 }));
  stage = createFetchStage({ vars: { FETCH_RATE: "100000" } });
  await stage.publish(
    {
      feature_flags: [
        flag({ deployments: everywhere }),
        flag({
          id: "flg_users",
          key: "users",
          name: "Users",
          deployments: everywhere,
          rollout: { targeting: [{ name: "S", segment_id: "seg_S", percentage: 50, weights: { on: 1 } }] },
        }),
      ],
      variations: [
        ...variations,
        ...["on", "not"].map((key) => variation(key, { id: `var_u${key}`, feature_flag_id: "flg_users" })),
      ],
      experiments: [experiment()],
      segments: [segment("S", [{ match: { cohort: ["coh_A"] } }, { match: { platform: ["ios"] } }])],
      cohorts: [cohort("A", { id_type: "user" })],
    },
    {
      cohorts: {
        bits: 0,
        generations: [1],
        ready: { coh_A: { id_type: "user", size: 1, refreshed_at: "2025-01-31T12:00:00.000Z" } },
      },
    },
  );
});
afterAll(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it(`answers ${count} malformed requests, none with a fault`, { timeout: 120_000 }, async () => {
  const faults: unknown[] = [];
  const statuses = new Map<number, number>();
  vi.spyOn(console, "error").mockImplementation((line) => {
    // A cohort's object that has no such cohort is no fault; what a speaker throws is.
    if (String(line).includes("a fetch API failed")) faults.push(line);
  });
  for (let sent = 0; sent < count; sent += atOnce) {
    const batch = Array.from({ length: atOnce }, request);
    const responses = await Promise.all(batch.map(([path, init]) => stage.ask(path, init)));
    for (const [place, response] of responses.entries()) {
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.includes("json") === true;
      if (isJson && text !== "") JSON.parse(text);
      if (response.status >= 500 && ![501, 503].includes(response.status)) faults.push(batch[place]);
    }
  }
  expect(faults.slice(0, 3)).toEqual([]);
  // It was not refused at the door alone.
  for (const status of [200, 204, 304, 400, 401, 403, 404, 405, 501])
    expect([status, statuses.has(status)]).toEqual([status, true]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  // What was made of them can be read at the other end.
  expect(stage.queued.length).toBeGreaterThan(20);
  for (const message of stage.queued) v.parse(queueMessage, message);
});
