import { beforeEach, describe, expect, it } from "vitest";
import { type Client, createClient } from "../client.ts";

const rules = [{ match: { device_type: ["mobile"] } }];
const phones = { name: "Phones", rules };
const formType = { "content-type": "application/x-www-form-urlencoded" };
const jsonType = { "content-type": "application/json" };

let client: Client;
beforeEach(() => {
  client = createClient();
});

/** Pairs, as a browser would send them. */
function form(pairs: [string, string][]): string {
  return pairs.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
}

/** Of several: the machine may be busy with something else. */
async function quickestMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < 5; count++) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  return Math.min(...times);
}

async function expectRefused(answer: ReturnType<Client["send"]>, message: string | RegExp, code = "invalid_body") {
  const { status, body } = await answer;
  expect([status, body.errorCode]).toEqual([400, code]);
  const title = code === "invalid_body" ? "Invalid request body." : "Invalid request query string.";
  if (typeof message === "string") expect(body.message).toBe(`${title} ${message}`);
  else expect(body.message).toMatch(message);
}

describe("JSON", () => {
  const send = (body: string | Uint8Array, path = "/segments") => client.send("POST", path, body, jsonType);

  it.each([
    ["with a charset", "application/json; charset=utf-8"],
    ["in capitals", "Application/JSON"],
  ])("may come %s", async (_, type) => {
    const { status } = await client.send("POST", "/segments", JSON.stringify(phones), { "content-type": type });
    expect(status).toBe(201);
  });

  it("may come with a byte order mark", async () => {
    expect((await send(`\uFEFF${JSON.stringify(phones)}`)).status).toBe(201);
  });

  it.each([
    ["nothing", "", "The body is empty; send the fields that it must hold."],
    ["no JSON", "name=Phones", /^Invalid request body\. The body must be JSON \(/],
    ["half of it", '{"name": "Phones"', /^Invalid request body\. The body must be JSON \(/],
    ["a text", '"Phones"', "The body must be an object."],
    ["a list", "[]", "The body must be an object, not a list."],
    ["null", "null", "The body must be an object."],
    ["what is missing", "{}", "name: must be given; rules: must be given."],
    [
      "what is not known",
      JSON.stringify({ ...phones, typ: "self" }),
      "typ: is not known here, only name, description, rules.",
    ],
    [
      "what is not known within",
      JSON.stringify({ ...phones, rules: [{ match: { country: ["CH"] }, if: {} }] }),
      "rules[0].if: is not known here, only match, not_match.",
    ],
    ["a wrong type", JSON.stringify({ name: 7, rules: "all" }), "name: must be text; rules: must be a list."],
    ["a wrong type within", JSON.stringify({ ...phones, rules: [7] }), "rules[0]: must be an object."],
    [
      "a list within",
      JSON.stringify({ ...phones, rules: [{ match: [] }] }),
      "rules[0].match: must be an object, not a list.",
    ],
    [
      "what a list must not hold",
      JSON.stringify({ ...phones, rules: [{ match: { country: ["CH"], region: { contains: [] } } }] }),
      "rules[0].match.region.contains: must hold at least one value.",
    ],
    [
      "what is none of several",
      JSON.stringify({ ...phones, rules: [{ match: { country: { near: "CH" } } }] }),
      /^Invalid request body\. rules\[0\]\.match\.country: must be one of \["v"\], \{"contains": \["v"\]\}, /,
    ],
  ])("is refused where it is %s", (_, body, message) => expectRefused(send(body), message));

  it("is refused with no more than ten reasons", async () => {
    const body = JSON.stringify({ ...phones, rules: Array.from({ length: 15 }, () => 7) });
    const { body: answer } = await send(body);
    expect(answer.message).toMatch(/rules\[9\]: must be an object; and 5 more\.$/);
    expect(answer.message).not.toContain("rules[10]");
  });

  it("is refused with a few words, however long the names in it are", async () => {
    const { body, text } = await send(JSON.stringify({ ...phones, [`x${"y".repeat(100_000)}`]: 1 }));
    expect(body.message).toMatch(/^Invalid request body\. \["xyyy/);
    expect(text.length).toBeLessThan(400);
  });

  it("says what is wrong with an experiment's allocations", async () => {
    const allocation = { variation_id: "var_1", is_control: true, weight: 101 };
    const path = "/experiments";
    const flag = { name: "Trial", feature_flag_id: "flg_1", authentication_flow: "authentication" };
    await expectRefused(
      send(JSON.stringify({ ...flag, allocations: [{ ...allocation, weight: 50 }, allocation] }), path),
      "allocations[1].weight: must be at most 100.",
    );
  });

  describe("nested deeper than 32 levels", () => {
    const nested = (levels: number) => `{"name":"Phones","rules":${"[".repeat(levels)}${"]".repeat(levels)}}`;

    it("is refused before it is parsed, naming the member", async () => {
      await expectRefused(send(nested(31)), "rules[0]: must be an object, not a list.");
      await expectRefused(send(nested(32)), "rules: must not be nested deeper than 32 levels.");
      await expectRefused(send(nested(500_000)), "rules: must not be nested deeper than 32 levels.");
      await expectRefused(send("[".repeat(33)), "The body must not be nested deeper than 32 levels.");
    });

    it("is not what brackets in a text look like", async () => {
      const name = `\\"${"[".repeat(50)}\\\\`;
      const { status, body } = await send(`{"name":"${name}","rules":${JSON.stringify(rules)}}`);
      expect([status, body.name]).toEqual([201, JSON.parse(`"${name}"`)]);
    });
  });

  describe("with names that would reach a prototype", () => {
    it.each(["__proto__", "constructor", "prototype"])("is refused: %s", async (name) => {
      await expectRefused(send(`{"${name}":{"polluted":1}}`), `${name}: must have another name.`);
      const parameters = `{"title":{"type":"object","value":{"list":[{"${name}":{}}]}}}`;
      const body = `{"name":"Flag","parameters":${parameters}}`;
      await expectRefused(
        send(body, "/feature-flags"),
        `parameters.title.value.list[0].${name}: must have another name.`,
      );
      await expectRefused(
        send(`{"name":"Flag","parameters":{"${name}":{"type":"string","value":""}}}`, "/feature-flags"),
        `parameters.${name}: must have another name.`,
      );
      expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
    });
  });

  describe("that is no UTF-8", () => {
    const bytes = (...parts: (string | number[])[]) =>
      Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...new TextEncoder().encode(part)] : part)));

    it.each([
      ["a stray byte", [0xff]],
      ["half a letter", [0xc3]],
      ["a long form", [0xc0, 0xaf]],
      ["a surrogate", [0xed, 0xa0, 0x80]],
    ])("is refused, naming the member: %s", async (_, wrong) => {
      const before = '{"rules":[],"name":"Zürich �';
      const at = new TextEncoder().encode(before).length;
      await expectRefused(send(bytes(before, wrong, '"}')), `name: must be UTF-8; byte ${at} is not.`);
    });

    it("or half of a surrogate pair, is refused", () =>
      expectRefused(
        send('{"name":"Phones","rules":[{"match":{"country":["\\ud800"]}}]}'),
        /^.*rules\[0\]\.match\.country\[0\]: /,
      ));
  });
});

describe("the size", () => {
  const big = (bytes: number) => JSON.stringify({ ...phones, description: "x".repeat(bytes) });

  function expectTooLarge({ status, body }: Awaited<ReturnType<Client["send"]>>) {
    expect([status, body]).toEqual([
      413,
      {
        statusCode: 413,
        error: "Payload Too Large",
        message: "The request body is too large. It may hold 1048576 bytes at most.",
        errorCode: "body_too_large",
      },
    ]);
  }

  it("is at most 1 MiB", async () => {
    const { length } = big(0);
    const fitting = await client.send("POST", "/segments", big(1_048_576 - length), jsonType);
    expect([fitting.status, fitting.body.errorCode]).toEqual([400, "invalid_body"]);
    expectTooLarge(await client.send("POST", "/segments", big(1_048_577 - length), jsonType));
  });

  it("of 10 MiB is refused within 50 ms", async () => {
    const body = big(10 * 1_048_576);
    await client.get("/segments");
    expect(
      await quickestMs(async () => expectTooLarge(await client.send("POST", "/segments", body, jsonType))),
    ).toBeLessThan(50);
  });

  it("is not read beyond the limit, whatever length was announced", async () => {
    let pulled = 0;
    const endless = new ReadableStream({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
      },
    });
    expectTooLarge(await client.send("POST", "/segments", endless, { ...jsonType, "content-length": "10" }));
    expect(pulled).toBeLessThan(24);
  });

  it("that was announced is believed when it is too much", async () => {
    let pulled = 0;
    const body = new ReadableStream({ pull: () => void pulled++ }, { highWaterMark: 0 });
    expectTooLarge(await client.send("POST", "/segments", body, { ...jsonType, "content-length": "1048577" }));
    expect(pulled).toBe(0);
  });

  it("of a body that breaks off is nobody's fault of ours", async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });
    await expectRefused(client.send("POST", "/segments", body, jsonType), "The body ended before its time.");
  });

  it("of one with hundreds of thousands of faults costs little", async () => {
    const body = `{"name":"Phones","rules":[${"7,".repeat(500_000)}7]}`;
    const send = () => client.send("POST", "/segments", body, jsonType);
    expect(await quickestMs(() => expectRefused(send(), "rules[0]: must be an object."))).toBeLessThan(200);
  });
});

describe("the type", () => {
  it.each([
    ["none", {}],
    ["text/plain", { "content-type": "text/plain" }],
    ["a form with files", { "content-type": "multipart/form-data; boundary=x" }],
    ["JSON of another kind", { "content-type": "application/merge-patch+json" }],
    ["nonsense", { "content-type": ";" }],
    ["compressed JSON", { ...jsonType, "content-encoding": "gzip" }],
  ])("is refused: %s", async (_, headers) => {
    const body = new TextEncoder().encode(JSON.stringify(phones));
    const { status, body: answer } = await client.send("POST", "/segments", body, headers as Record<string, string>);
    expect([status, answer.error, answer.errorCode]).toEqual([415, "Unsupported Media Type", "unsupported_media_type"]);
    expect(answer.message).toMatch(/^Send application\/json or application\/x-www-form-urlencoded\./);
  });

  it("does not matter where there is no body", async () => {
    await expectRefused(client.send("POST", "/segments"), "The body is empty; send the fields that it must hold.");
    const { status } = await client.send("POST", "/experiments/exp_1/validate");
    expect(status).toBe(404);
    expect((await client.send("DELETE", "/segments/seg_1", "{}", { "content-type": "text/plain" })).status).toBe(204);
  });
});

describe("forms", () => {
  const send = (pairs: [string, string][], path = "/segments", method = "POST") =>
    client.send(method, path, form(pairs), formType);

  it("make a segment", async () => {
    const { status, body } = await send([
      ["name", "Phones & more"],
      ["rules[0][match][device_type][]", "mobile"],
      ["rules[0][match][device_type][]", "tablet"],
      ["rules[0][match][country][exists]", "true"],
      ["rules[1][not_match][browser][contains]", "Chrome"],
      ["rules[1][not_match][platform]", '{"starts_with":["iOS"]}'],
    ]);
    expect([status, body.name, body.rules]).toEqual([
      201,
      "Phones & more",
      [
        { match: { device_type: ["mobile", "tablet"], country: { exists: true } } },
        { not_match: { browser: { contains: ["Chrome"] }, platform: { starts_with: ["iOS"] } } },
      ],
    ]);
  });

  it("make a flag whose parameters are of their declared types", async () => {
    const { status, body } = await send(
      [
        ["name", "Login page"],
        ["parameters[title][type]", "string"],
        ["parameters[title][value]", "1e3"],
        ["parameters[count][type]", "number"],
        ["parameters[count][value]", "1e3"],
        ["parameters[dark][value]", "false"],
        ["parameters[dark][type]", "boolean"],
        ["parameters[steps][type]", "array"],
        ["parameters[steps][value][]", "1"],
        ["parameters[steps][value][]", "two"],
        ["parameters[theme][type]", "object"],
        ["parameters[theme][value][colour]", "red"],
        ["parameters[theme][value][sizes][0]", "1"],
        ["parameters[links][type]", "object"],
        ["parameters[links][value]", '{"help":["a"]}'],
      ],
      "/feature-flags",
    );
    expect([status, body.parameters]).toEqual([
      201,
      {
        title: { type: "string", value: "1e3" },
        count: { type: "number", value: 1000 },
        dark: { type: "boolean", value: false },
        steps: { type: "array", value: [1, "two"] },
        theme: { type: "object", value: { colour: "red", sizes: [1] } },
        links: { type: "object", value: { help: ["a"] } },
      },
    ]);
  });

  it("make an experiment, its items in the order of their numbers", async () => {
    const flag = await client.post("/feature-flags", {
      name: "Login page",
      parameters: { title: { type: "string", value: "Sign in" } },
    });
    const path = `/feature-flags/${flag.id}/variations`;
    const control = await client.post(path, { name: "Control", overrides: {} });
    const treated = await send(
      [
        ["name", "Treatment"],
        ["overrides[title][value]", "Welcome"],
      ],
      path,
    );
    expect(treated.body.overrides).toEqual({ title: { value: "Welcome" } });
    const { status, body } = await send(
      [
        ["name", "Trial"],
        ["feature_flag_id", flag.id],
        ["authentication_flow", "authentication"],
        ["is_stateful", "true"],
        ["allocation_strategy", "percentage"],
        ["assignment_config[subject]", "device"],
        ["allocations[10][variation_id]", treated.body.id],
        ["allocations[10][is_control]", "false"],
        ["allocations[10][weight]", "30"],
        ["allocations[2][variation_id]", control.id],
        ["allocations[2][is_control]", "true"],
        ["allocations[2][weight]", "70"],
        ["levels", "[5, 100]"],
      ],
      "/experiments",
    );
    expect([status, body]).toMatchObject([
      201,
      {
        is_stateful: true,
        levels: [5, 100],
        assignment_config: { subject: "device" },
        allocations: [
          { variation_id: control.id, is_control: true, weight: 70 },
          { variation_id: treated.body.id, is_control: false, weight: 30 },
        ],
      },
    ]);
  });

  it("take a description away with nothing", async () => {
    const { id } = await client.post("/segments", { ...phones, description: "Small screens" });
    const { status, body } = await send([["description", ""]], `/segments/${id}`, "PATCH");
    expect([status, "description" in body]).toEqual([200, false]);
  });

  it("take a scope by itself for a list of one, and a text for what it is", async () => {
    const { body } = await send(
      [
        ["name", "12345"],
        ["scopes", "read:experimentation"],
      ],
      "/tokens",
    );
    expect([body.name, body.scopes]).toEqual(["12345", ["read:experimentation"]]);
  });

  it.each<[string, [string, string][], string | RegExp]>([
    ["what is missing", [["name", "Phones"]], "rules: must be given."],
    [
      "no list",
      [
        ["name", "Phones"],
        ["rules", "all"],
      ],
      "rules[0]: must be JSON (Unexpected token 'a', \"all\" is not valid JSON).",
    ],
    [
      "no number",
      [
        ["name", "Trial"],
        ["allocations[0][weight]", "half"],
      ],
      /allocations\[0\]\.weight: must be a number/,
    ],
    [
      "the same twice",
      [
        ["name", "Phones"],
        ["name", "Tablets"],
      ],
      /name: must be text/,
    ],
    [
      "a value with members",
      [
        ["name", "Phones"],
        ["name[first]", "x"],
      ],
      '"name[first]": must not have both a value and members.',
    ],
    [
      "members with a value",
      [
        ["name[first]", "x"],
        ["name", "Phones"],
      ],
      '"name": must not have both a value and members.',
    ],
    ["open brackets", [["rules[0", "x"]], '"rules[0": must be a name such as parameters[title][value].'],
    ["no name", [["[0]", "x"]], '"[0]": must be a name such as parameters[title][value].'],
    ["items without numbers", [["rules[][match]", "x"]], /"rules\[\]\[match\]": must number the items of a list/],
    ["many brackets", [[`rules${"[0]".repeat(100)}`, "x"]], /: must not have more than 16 pairs of brackets\.$/],
    ["a prototype", [["__proto__[polluted]", "1"]], "__proto__: must have another name."],
    [
      "a prototype within",
      [["rules[0][match][constructor][prototype][polluted]", "1"]],
      /rules\[0\]\.match\.constructor: must have another name/,
    ],
    ["a deep text", [["rules", "[".repeat(40)]], "rules: must not be nested deeper than 32 levels."],
  ])("are refused where there is %s", (_, pairs, message) =>
    expectRefused(send(pairs, pairs[1]?.[0].startsWith("alloc") ? "/experiments" : "/segments"), message),
  );

  it.each(["name=%ff", "name=%C3", "name=%", "name=%zz"])("are refused where they are no UTF-8: %s", (body) =>
    expectRefused(client.send("POST", "/segments", body, formType), "name: must be percent-encoded UTF-8."),
  );

  it("count from any number without making room for it", async () => {
    const { status, body } = await send([
      ["name", "Phones"],
      ["rules[4000000000][match][country]", "CH"],
      ["rules[007][match][country]", "DE"],
    ]);
    expect([status, body.rules]).toEqual([201, [{ match: { country: ["DE"] } }, { match: { country: ["CH"] } }]]);
  });

  it("hold ten thousand values at most", () =>
    expectRefused(
      client.send("POST", "/segments", "a=1&".repeat(200_000), formType),
      "The body must hold 10000 values at most; send more as JSON.",
    ));

  it("pollute nothing", () => expect(({} as Record<string, unknown>).polluted).toBeUndefined());
});

describe("query strings", () => {
  it.each([
    ["take=2&take=3", "take: must stand once."],
    ["takes=2", "takes: is not known here, only from, take, type."],
    ["take=%ff", "take: must be percent-encoded UTF-8."],
    ["__proto__=1", "__proto__: is not known here, only from, take, type."],
    ["take=1.5", "take: must be a whole number from 1 to 50."],
    ["take", "take: must be a whole number from 1 to 50."],
  ])("are refused: %s", (query, message) =>
    expectRefused(client.send("GET", `/segments?${query}`), message, "invalid_query_string"),
  );

  it("are refused where an operation knows none", () =>
    expectRefused(client.send("GET", "/segments/seg_1?full=1"), "full: is not known here.", "invalid_query_string"));

  it("may be empty", async () => {
    for (const query of ["?", "?&", ""]) expect((await client.send("GET", `/segments${query}`)).status).toBe(200);
  });
});
