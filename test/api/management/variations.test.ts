import { beforeEach, describe, expect, it } from "vitest";
import { type Client, createClient } from "../client.ts";
import { expectRefusal } from "./refusal.ts";

const parameters = {
  title: { type: "string", value: "Hello" },
  wide: { type: "boolean", value: false },
  width: { type: "number", value: 1 },
  steps: { type: "array", value: [1, { a: 1, b: 2 }] },
  theme: { type: "object", value: { dark: true, size: { width: 1, height: 2 } } },
  toString: { type: "string", value: "own" },
};

let client: Client;
let flag: { id: string };
let path: string;
beforeEach(async () => {
  client = createClient();
  flag = await client.post("/feature-flags", { name: "Login page", parameters });
  path = `/feature-flags/${flag.id}/variations`;
});

const make = (body: object = {}) => client.post(path, { name: "Treatment", overrides: {}, ...body });
const refuse = (body: object) => client.send("POST", path, { name: "Treatment", overrides: {}, ...body });

it("keeps a variation, changes it and lets go of it", async () => {
  await make({ name: "Control" });
  const overrides = { title: { value: "Welcome" }, theme: { value: { dark: false } } };
  const made = await client.send("POST", path, { name: "Warm welcome", overrides });
  expect(made.status).toBe(201);
  expect(made.body).toEqual({
    id: expect.stringMatching(/^var_[A-HJ-NP-Za-km-z1-9]+$/),
    feature_flag_id: flag.id,
    name: "Warm welcome",
    overrides,
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    updated_at: made.body.created_at,
    key: "warm_welcome",
  });
  const own = `${path}/${made.body.id}`;
  expect(await client.get(own)).toEqual(made.body);

  const described = await client.patch(own, { description: "Words on it" });
  expect(described).toEqual({ ...made.body, description: "Words on it", updated_at: described.updated_at });
  const cleared = await client.patch(own, { description: null });
  expect(cleared).toEqual({ ...made.body, updated_at: cleared.updated_at });
  const changed = await client.patch(own, { name: "Cold welcome", overrides: {} });
  expect(changed).toMatchObject({ name: "Cold welcome", overrides: {}, key: "warm_welcome" });

  expect((await client.send("DELETE", own)).status).toBe(204);
  expect((await client.send("DELETE", own)).status).toBe(204);
  expectRefusal(await client.send("GET", own), 404, "variation_not_found", /^Variation not found\.$/);
});

it("lists a flag's variations whole, in their order", async () => {
  expect(await client.get(path)).toEqual({ variations: [] });
  const made = [];
  for (const name of ["Zed", "Ava", "Mid"]) made.push(await make({ name }));
  await client.patch(`${path}/${made[0].id}`, { name: "Zoe" });
  const other = await client.post("/feature-flags", { name: "Other page", parameters });
  await client.post(`/feature-flags/${other.id}/variations`, { name: "Ava", overrides: {} });
  const { variations, ...rest } = await client.get(path);
  expect(variations.map(({ name }: { name: string }) => name)).toEqual(["Zoe", "Ava", "Mid"]);
  expect(rest).toEqual({});
  expectRefusal(await client.send("GET", `${path}?take=2`), 400, "invalid_query_string", /take/);
});

it("knows a variation under its own flag only", async () => {
  const { id } = await make({ name: "Control" });
  await make();
  const other = await client.post("/feature-flags", { name: "Other page", parameters });
  for (const own of [`/feature-flags/${other.id}/variations/${id}`, `${path}/var_none`, `${path}/__proto__`]) {
    expectRefusal(await client.send("GET", own), 404, "variation_not_found");
    expectRefusal(await client.send("PATCH", own, { name: "Another" }), 404, "variation_not_found");
    expect((await client.send("DELETE", own)).status).toBe(204);
  }
  expect(await client.get(`${path}/${id}`)).toMatchObject({ name: "Control" });
});

it("answers 404 where there is no such flag", async () => {
  const { id } = await make();
  const none = "/feature-flags/flg_none/variations";
  for (const [method, address, body] of [
    ["GET", none, undefined],
    ["POST", none, { name: "Treatment", overrides: {} }],
    ["GET", `${none}/${id}`, undefined],
    ["PATCH", `${none}/${id}`, { name: "Another" }],
    ["DELETE", `${none}/${id}`, undefined],
  ] as const) {
    expectRefusal(
      await client.send(method, address, body),
      404,
      "feature_flag_not_found",
      /^Feature flag not found\.$/,
    );
  }
  expectRefusal(await client.send("POST", none, { name: 1 }), 400, "invalid_body");
});

describe("fields", () => {
  it.each([
    ["name", "x".repeat(255)],
    ["name", "Überraschung 吉"],
    ["description", "x".repeat(1024)],
  ])("takes a %s of %#", async (field, value) => {
    expect((await make({ key: "one", [field]: value }))[field]).toBe(value);
  });

  it.each([
    ["name", undefined],
    ["name", "xx"],
    ["name", "x".repeat(256)],
    ["name", " Warm"],
    ["description", null],
    ["description", "xx"],
    ["description", "x".repeat(1025)],
    ["overrides", undefined],
    ["overrides", null],
    ["overrides", []],
    ["overrides", { title: "Welcome" }],
    ["overrides", { title: {} }],
    ["overrides", { title: { value: "Welcome", type: "string" } }],
    ["overrides", JSON.parse('{"__proto__":{"value":1}}')],
    ["overrides", { constructor: { value: 1 } }],
    ["key", "off"],
    ["key", "Warm"],
    ["key", "x".repeat(256)],
    ["feature_flag_id", "flg_other"],
    ["valueOf", 1],
  ])("refuses %s %j", async (field, value) => {
    expectRefusal(await refuse({ [field]: value }), 400, "invalid_body", new RegExp(`\\b${field}\\b`));
    expect(await client.get(path)).toEqual({ variations: [] });
  });

  it.each([[{}], [[]], [{ name: null }], [{ overrides: null }], [{ key: "other" }], [{ id: "var_other" }]])(
    "refuses the change %j",
    async (change) => {
      const { id } = await make();
      const answer = await client.send("PATCH", `${path}/${id}`, change);
      expectRefusal(answer, 400, "invalid_body", "key" in change ? /key: cannot be changed/ : /./);
    },
  );
});

describe("overrides", () => {
  const values = { title: "Welcome", wide: true, width: 2, steps: [], theme: {} };

  it("may be of every type, and of all parameters", async () => {
    const overrides = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
    expect((await make({ overrides: { ...overrides, toString: { value: "other" } } })).overrides).toEqual({
      ...overrides,
      toString: { value: "other" },
    });
  });

  const own = Object.entries(values);
  const cases = own.flatMap(([name]) => own.map(([other, value]) => [name, value, name === other] as const));
  it.each(cases)("%s may become %j: %s", async (name, value, fits) => {
    const { id } = await make({ name: "Control" });
    const body = { overrides: { [name]: { value } } };
    const answers = [await refuse(body), await client.send("PATCH", `${path}/${id}`, body)];
    if (fits) {
      expect(answers.map(({ status }) => status)).toEqual([201, 200]);
      return;
    }
    const says = new RegExp(`^Override value type does not match the parameter type\\. overrides\\.${name}\\.value`);
    for (const answer of answers) expectRefusal(answer, 400, "override_type_mismatch", says);
  });

  it.each([
    [
      "of a parameter the flag has not",
      { colour: { value: 1 } },
      "invalid_override_key",
      /^Invalid override key\. overrides\.colour.*title, wide/,
    ],
    ["of an object's own methods", { valueOf: { value: 1 } }, "invalid_override_key", /overrides\.valueOf/],
    ["null", { title: { value: null } }, "override_type_mismatch", /overrides\.title\.value.*string/],
    [
      "the default",
      { title: { value: "Hello" } },
      "override_is_default",
      /^Override value must differ from the feature flag parameter default value\. overrides\.title\.value/,
    ],
    ["a default of false", { wide: { value: false } }, "override_is_default", /overrides\.wide/],
    ["a default list", { steps: { value: [1, { b: 2, a: 1 }] } }, "override_is_default", /overrides\.steps/],
    [
      "a default object, otherwise ordered",
      { theme: { value: { size: { height: 2, width: 1 }, dark: true } } },
      "override_is_default",
      /overrides\.theme/,
    ],
    [
      "the second of two",
      { wide: { value: true }, title: { value: "Hello" } },
      "override_is_default",
      /overrides\.title/,
    ],
    [
      "over 1 KB",
      { title: { value: "x".repeat(1023) } },
      "override_too_large",
      /^Override value exceeds maximum size of 1KB\. overrides\.title\.value/,
    ],
  ] as const)("may not be %s", async (_, overrides, code, says) => {
    const { id } = await make({ name: "Control", overrides: { title: { value: "x".repeat(1022) } } });
    expectRefusal(await refuse({ overrides }), 400, code, says);
    expectRefusal(await client.send("PATCH", `${path}/${id}`, { overrides }), 400, code, says);
  });

  it("that no longer fit do not lock a variation's other fields", async () => {
    const { id } = await make({ overrides: { title: { value: "Welcome" } } });
    await client.patch(`/feature-flags/${flag.id}`, { parameters: { wide: parameters.wide } });
    expect(await client.patch(`${path}/${id}`, { name: "Renamed" })).toMatchObject({ name: "Renamed" });
  });
});

describe("names and keys", () => {
  it("are a flag's own", async () => {
    const { id } = await make();
    const { id: other } = await make({ name: "Control" });
    const says = /^A variation with this name already exists on this feature flag\. .*var_/;
    expectRefusal(await refuse({ key: "another" }), 409, "variation_name_taken", says);
    expectRefusal(
      await client.send("PATCH", `${path}/${other}`, { name: "Treatment" }),
      409,
      "variation_name_taken",
      says,
    );
    await client.patch(`${path}/${id}`, { name: "Treatment" });
    const second = await client.post("/feature-flags", { name: "Other page", parameters });
    const namesake = await client.post(`/feature-flags/${second.id}/variations`, { name: "Treatment", overrides: {} });
    expect(namesake.key).toBe("treatment");
  });

  it("keys come from names, and step aside for others", async () => {
    expect((await make({ name: "Très chic!" })).key).toBe("tres_chic");
    expect((await make({ name: "Tres chic" })).key).toBe("tres_chic_2");
    expect((await make({ key: "b-2" })).key).toBe("b-2");
    const says = /^A variation with this key already exists on this feature flag\. key: b-2/;
    expectRefusal(await refuse({ name: "Another", key: "b-2" }), 409, "variation_key_taken", says);
  });

  it.each(["吉星高照", "Prototype"])("there is a key where the name %s gives none", async (name) => {
    expect(await make({ name })).toMatchObject({ name, key: "variation" });
    expect(await make({ name: "Привет" })).toMatchObject({ key: "variation_2" });
  });

  it.each(["off", "OFF!"])("a key is asked for where the name %s gives one that means no variation", async (name) => {
    expectRefusal(await refuse({ name }), 400, "invalid_body", /key: the name gives the key .* Send a key of your own/);
    expect(await make({ name, key: "mine" })).toMatchObject({ name, key: "mine" });
  });
});

it("has a flag hold 20 variations", async () => {
  for (let index = 1; index <= 20; index++) await make({ name: `Number ${index}` });
  expectRefusal(await refuse({}), 400, "variation_limit_exceeded", /^Feature flag variation limit exceeded\. .*20/);
  const { variations } = await client.get(path);
  expect(variations).toHaveLength(20);
  await client.delete(`${path}/${variations[0].id}`);
  await make();
});

it("leaves an archived flag's variations as they are", async () => {
  const { id } = await make({ name: "Control" });
  await make();
  await client.post(`/feature-flags/${flag.id}/status`, { status: "archived" });
  for (const answer of [
    await refuse({ name: "Another" }),
    await client.send("PATCH", `${path}/${id}`, { name: "Another" }),
    await client.send("DELETE", `${path}/${id}`),
  ]) {
    expectRefusal(answer, 409, "feature_flag_archived", /^Feature flag is archived and cannot be modified\.$/);
  }
  expectRefusal(await refuse({ name: 1 }), 400, "invalid_body");
  expectRefusal(await client.send("PATCH", `${path}/var_none`, { name: "Another" }), 404, "variation_not_found");
  expect((await client.send("DELETE", `${path}/var_none`)).status).toBe(204);
  expect((await client.get(path)).variations).toHaveLength(2);
});

describe("deleting", () => {
  const isOneOfFlag = /^Variation is referred to by the rollout of a feature flag and cannot be deleted\./;

  it("leaves a flag one variation", async () => {
    const { id } = await make();
    expectRefusal(
      await client.send("DELETE", `${path}/${id}`),
      400,
      "last_variation",
      /^Feature flag must have at least one variation\. Cannot delete the last variation\.$/,
    );
    await make({ name: "Another" });
    await client.delete(`${path}/${id}`);
  });

  it("is refused while an allocation that is not archived uses the variation", async () => {
    const [control, treatment, spare] = [await make({ name: "Control" }), await make(), await make({ name: "Spare" })];
    const experiment = await client.post("/experiments", {
      name: "Headline",
      feature_flag_id: flag.id,
      authentication_flow: "authentication",
      allocation_strategy: "percentage",
      assignment_config: { subject: "device" },
      allocations: [
        { variation_id: control.id, weight: 100, is_control: true },
        { variation_id: treatment.id, weight: 0, is_control: false },
      ],
    });
    const says = /^Variation is in use by one or more non-archived allocations and cannot be deleted\. .*"Headline"/;
    for (const { id } of [control, treatment]) {
      expectRefusal(await client.send("DELETE", `${path}/${id}`), 409, "variation_in_use", says);
    }
    await client.delete(`${path}/${spare.id}`);
    await client.post(`/experiments/${experiment.id}/status`, { status: "archived" });
    await client.delete(`${path}/${treatment.id}`);
  });

  it.each([
    { all_users: { percentage: 0, weights: { treatment: 0 } } },
    { targeting: [{ name: "Phones", conditions: [], percentage: 1, weights: { treatment: 1 } }] },
    { inclusions: { treatment: { user_ids: ["ada"], device_ids: [] } } },
  ])("is refused while the flag's rollout uses the variation: %j", async (rollout) => {
    const { id } = await make();
    await make({ name: "Control" });
    await client.patch(`/feature-flags/${flag.id}`, { rollout });
    expectRefusal(await client.send("DELETE", `${path}/${id}`), 409, "variation_referenced", isOneOfFlag);
    await client.patch(`/feature-flags/${flag.id}`, { rollout: null });
    await client.delete(`${path}/${id}`);
  });

  it("is refused while another flag depends on the variation", async () => {
    const { id } = await make();
    const { id: spare } = await make({ name: "Control" });
    await make({ name: "Another" });
    const rollout = { dependencies: { login_page: ["treatment", "another"] } };
    const other = await client.post("/feature-flags", { name: "Other page", parameters, rollout });
    const answer = await client.send("DELETE", `${path}/${id}`);
    expectRefusal(answer, 409, "variation_referenced", /the dependencies of feature flag "Other page"/);
    await client.delete(`${path}/${spare}`);
    await client.patch(`/feature-flags/${other.id}`, { rollout: { dependencies: { login_page: ["another"] } } });
    await client.delete(`${path}/${id}`);
  });
});
