/** Whatever is sent: an answer of the API's own shape, and never a 5xx. */
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { managementPath } from "../../../src/api/management/address.ts";
import { operations } from "../../../src/api/management/operations.ts";
import { type Answer, type Client, createClient, rootToken } from "../client.ts";

let client: Client;
/** A body that each operation takes, and the ids its path names. */
let valid: Record<string, unknown>;
let ids: Record<string, string>;

beforeAll(async () => {
  client = createClient({ vars: { MANAGEMENT_RATE: "100000" } });
  const flag = await client.post("/feature-flags", {
    name: "Login page",
    parameters: { title: { type: "string", value: "Sign in" }, steps: { type: "array", value: [1, 2] } },
  });
  const variations = `/feature-flags/${flag.id}/variations`;
  const control = await client.post(variations, { name: "Control", overrides: {} });
  const treated = await client.post(variations, { name: "Treated", overrides: { title: { value: "Welcome" } } });
  const segment = await client.post("/segments", { name: "Phones", rules: [{ match: { device_type: ["mobile"] } }] });
  const experiment = await client.post("/experiments", {
    name: "Trial",
    feature_flag_id: flag.id,
    authentication_flow: "authentication",
    allocation_strategy: "percentage",
    assignment_config: { subject: "device" },
    levels: [5, 100],
    allocations: [
      { variation_id: control.id, is_control: true, weight: 50 },
      { variation_id: treated.id, is_control: false, weight: 50 },
    ],
  });
  ids = {
    "feature-flags": flag.id,
    variations: treated.id,
    experiments: experiment.id,
    segments: segment.id,
  };
  const rollout = {
    bucketing_key: "device_id",
    inclusions: { treated: { user_ids: ["u1"], device_ids: [] } },
    targeting: [{ name: "Phones", segment_id: segment.id, percentage: 50, weights: { control: 1, treated: 1 } }],
    all_users: { percentage: 100, weights: { control: 1 } },
  };
  valid = {
    create_feature_flag: { name: "Another", parameters: { a: { type: "object", value: { b: [1] } } }, rollout },
    update_feature_flag: { name: "Changed", description: null, rollout },
    create_variation: { name: "Third", description: "One more", overrides: { title: { value: "Hello" } } },
    create_experiment: {
      name: "Segmented",
      feature_flag_id: flag.id,
      authentication_flow: "authentication",
      allocation_strategy: "segment",
      assignment_config: { subject: "device" },
      allocations: [
        { variation_id: control.id, is_control: true, is_fallback: true },
        { variation_id: treated.id, is_control: false, segment_id: segment.id, priority: 1 },
      ],
    },
    update_experiment: {
      name: "Renamed",
      levels: [1, 2],
      allocations: [{ variation_id: control.id, is_control: true }],
    },
    advance_experiment_ramp: { target_level: 100 },
    create_segment: {
      name: "Others",
      rules: [{ match: { country: { starts_with: ["C"] } }, not_match: { browser: { exists: false } } }],
    },
    create_token: { name: "Deploys", scopes: ["read:experimentation"], expires_at: "2999-01-01T00:00:00Z" },
    create_group: {
      name: "One at a time",
      type: "mutual_exclusion",
      slots: [{ percentage: 50, feature_flag_ids: [flag.id] }],
    },
  };
});

const writing = Object.entries(operations).filter(([, { body }]) => body !== undefined);

function pathOf(path: string): string {
  return path.replace(/([^/]+)\/:(\w+)/g, (_, collection: string) => `${collection}/${ids[collection] ?? "none_1"}`);
}

function expectSound({ status, body, headers, text }: Answer) {
  expect(status, text).toBeLessThan(500);
  expect(headers.get("x-correlation-id")).toMatch(/^[\x21-\x7e]{1,64}$/);
  if (status < 400) return;
  expect(body).toEqual({
    statusCode: status,
    error: expect.any(String),
    message: expect.any(String),
    errorCode: expect.stringMatching(/^[a-z_]+$/),
  });
  expect(body.message.length).toBeLessThan(4_000);
}

/** Values that code trips over, where any JSON may stand. */
const awkward = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom<unknown>(
    null,
    "",
    " ",
    "\0",
    "\ud800",
    "__proto__",
    "constructor",
    "toString",
    "off",
    "(none)",
    "*",
    "(a+)+$",
    -1,
    0,
    0.1,
    -0,
    1e308,
    2 ** 53,
    "9".repeat(400),
    [],
    [[]],
    {},
    { length: 1 },
    { type: "string" },
    JSON.parse('{"__proto__":{"x":1}}'),
    { constructor: { prototype: { x: 1 } } },
    { toString: null, hasOwnProperty: 1 },
    "x".repeat(2_000),
    "\u{1F600}".repeat(300),
    "flg_1",
    "var_1",
    "2025-01-31T12:00:00Z",
  ),
);

/** `value` with something else in one place of it, chosen by `steps`. */
function mutate(value: unknown, steps: readonly number[], other: unknown, how: number): unknown {
  const [step = 0, ...rest] = steps;
  if (typeof value !== "object" || value === null || steps.length === 0) return other;
  const members = Object.entries(value);
  if (members.length === 0) return other;
  const [name, member] = members[step % members.length] as [string, unknown];
  const changed =
    how === 0
      ? members.map(([key, one]) => [key, key === name ? mutate(one, rest, other, how) : one])
      : how === 1
        ? members.filter(([key]) => key !== name)
        : [...members, [typeof other === "string" ? other : "toString", member]];
  if (Array.isArray(value)) return changed.map(([, one]) => one);
  return Object.fromEntries(changed as [string, unknown][]);
}

/** The field that is at fault, or all of the body. */
const named = /(name|__proto__|body|must be an object)/;
const jsonType = { "content-type": "application/json" };
const formType = { "content-type": "application/x-www-form-urlencoded" };

describe.each(writing)("%s", (name, { method, path }) => {
  const send = (body: string | Uint8Array, headers: Record<string, string> = jsonType) =>
    client.send(method, pathOf(path), body, headers);

  it("answers any JSON", () =>
    fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 6 }), async (body) => expectSound(await send(JSON.stringify(body)))),
      { numRuns: 15 },
    ));

  it("answers what is nearly right", async () => {
    const body = valid[name] ?? { status: "active" };
    return fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }),
        awkward,
        fc.nat(2),
        async (steps, other, how) => expectSound(await send(JSON.stringify(mutate(body, steps, other, how)))),
      ),
      { numRuns: 80 },
    );
  });

  it("answers any bytes, as JSON and as a form", () =>
    fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: fc.constantFrom(...'[]{}":,\\&=%+a1') })),
        fc.constantFrom(jsonType, formType),
        async (body, type) => expectSound(await send(body, type)),
      ),
      { numRuns: 30 },
    ));

  it("answers forms that are nearly right", () => {
    const key = fc.constantFrom(
      "name",
      "rules",
      "parameters",
      "allocations",
      "0",
      "",
      "match",
      "value",
      "type",
      "slots",
    );
    const field = fc
      .tuple(
        key,
        fc.array(key, { maxLength: 4 }),
        fc.oneof(fc.string(), fc.constantFrom("[]", "{}", "1", "true", "[[]]")),
      )
      .map(([first, rest, value]) => `${first}${rest.map((one) => `[${one}]`).join("")}=${encodeURIComponent(value)}`);
    return fc.assert(
      fc.asyncProperty(fc.array(field, { maxLength: 6 }), async (fields) =>
        expectSound(await send(fields.join("&"), formType)),
      ),
      { numRuns: 30 },
    );
  });

  it.each<[string, string | Uint8Array, number]>([
    ["what is deep", `{"name":${"[".repeat(100_000)}`, 400],
    ["what is deep and closed", `{"name":${'{"a":'.repeat(33)}1${"}".repeat(33)}}`, 400],
    ["what is huge", `{"name":"${"x".repeat(10 * 1_048_576)}"}`, 413],
    ["a prototype", '{"__proto__":{"name":"x"}}', 400],
    ["no UTF-8", Uint8Array.from([...'{"name":"'].map((letter) => letter.charCodeAt(0)).concat(0xff, 0x22, 0x7d)), 400],
    ["a number", "1", 400],
    ["a list", "[]", 400],
    ["null", "null", 400],
  ])("refuses %s", async (_, body, expected) => {
    const answer = await send(body);
    expectSound(answer);
    expect([answer.status, answer.body.message]).toEqual([expected, expect.stringMatching(named)]);
  });

  it("refuses what it does not know", async () => {
    const { status, body } = await send(JSON.stringify({ ...(valid[name] ?? {}), nobody_knows_this: 1 }));
    expect([status, body.message]).toEqual([400, expect.stringContaining("nobody_knows_this")]);
  });
});

it("any request at all is answered", () => {
  const segment = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "segments",
      "experiments",
      "feature-flags",
      "status",
      "tokens",
      "changes",
      "%",
      "%ff",
      "..",
      "%2e%2e",
      "*",
    ),
  );
  const query = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "take=1e9",
      "from=zzzzzzzzzz",
      "from=%00",
      "take=NaN",
      "since=9999-12-31T23:59:59Z",
      "a=b&a=c",
      "=",
      "&&",
    ),
  );
  const header = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'abc ;=/*,"\t\\~!0') }),
    fc.constantFrom("application/json", "Bearer", `Bearer ${rootToken}`, "Bearer a.b.c", "gzip", "-1", "1e9", "NaN"),
  );
  const names = ["authorization", "content-type", "content-encoding", "x-correlation-id", "x-vestibule-tenant"];
  const encode = (text: string) => encodeURI(text.toWellFormed()).replaceAll(/[?#]/g, "");
  return fc.assert(
    fc.asyncProperty(
      fc.constantFrom("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "PROPFIND"),
      fc.array(segment, { maxLength: 5 }),
      query,
      fc.dictionary(fc.constantFrom(...names, "content-length", "cf-connecting-ip"), header, { maxKeys: 3 }),
      fc.option(fc.string(), { nil: undefined }),
      async (method, segments, search, headers, body) => {
        const path = `/${segments.map(encode).join("/")}?${encodeURI(search.toWellFormed())}`;
        // Dots may lead out of the API, to the origin.
        if (!new URL(`https://a${managementPath}${path}`).pathname.startsWith(`${managementPath}/`)) return;
        const hasBody = method !== "GET" && method !== "HEAD";
        const { status, text } = await client.send(method, path, hasBody ? body : undefined, headers);
        expect(status, text).toBeLessThan(500);
      },
    ),
    { numRuns: 400 },
  );
});

it("nothing was polluted by all that, and the configuration can still be read", async () => {
  expect(({} as Record<string, unknown>).x).toBeUndefined();
  for (const path of ["/feature-flags", "/experiments", "/segments", "/tokens", "/changes"]) {
    expect((await client.send("GET", path)).status).toBe(200);
  }
});
