import { beforeEach, describe, expect, it } from "vitest";
import { type Client, createClient } from "../client.ts";
import { expectRefusal } from "./refusal.ts";

const parameters = { title: { type: "string", value: "Hello" } };

let client: Client;
beforeEach(() => {
  client = createClient();
});

const make = (body: object = {}) => client.post("/feature-flags", { name: "Login page", parameters, ...body });
const refuse = (body: object) => client.send("POST", "/feature-flags", { name: "Login page", parameters, ...body });

describe("fields", () => {
  it.each([
    ["name", "x".repeat(3)],
    ["name", "x".repeat(255)],
    ["name", "🦎".repeat(255)],
    ["name", "Página de início 吉星"],
    ["description", "x".repeat(1024)],
    ["description", "é🚀吉".repeat(341)],
  ])("takes a %s of %#", async (field, value) => {
    const made = await make({ key: "page", [field]: value });
    expect(made[field]).toBe(value);
    expect((await client.get(`/feature-flags/${made.id}`))[field]).toBe(value);
  });

  it.each([
    ["name", undefined],
    ["name", null],
    ["name", 5],
    ["name", "xx"],
    ["name", "🦎🦎"],
    ["name", "x".repeat(256)],
    ["name", " Page"],
    ["name", "Page "],
    ["name", "Page\u0000one"],
    ["name", "Page\none"],
    ["description", null],
    ["description", ""],
    ["description", "x".repeat(1025)],
    ["parameters", undefined],
    ["parameters", null],
    ["parameters", []],
    ["parameters", {}],
    ["parameters", Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`p${n}`, parameters.title]))],
    ["parameters", { title: { type: "text", value: "x" } }],
    ["parameters", { title: { type: "string" } }],
    ["parameters", { title: { type: "string", value: "x", unit: "px" } }],
    ["parameters", { title: { type: "string", value: "x", description: "x".repeat(256) } }],
    ["parameters", { title: { type: "string", value: "x", description: null } }],
    ["key", ""],
    ["key", "Login"],
    ["key", "-page"],
    ["key", "x".repeat(256)],
    ["key", "holdout-a"],
    ["key", "mutex-a"],
    ["key", "constructor"],
    ["deployments", {}],
    ["deployments", ["server"]],
    ["rollout", []],
    ["rollout", null],
    ["type", "self"],
    ["status", "draft"],
    ["id", "flg_mine"],
    ["toString", 1],
  ])("refuses %s %j", async (field, value) => {
    const answer = await refuse({ [field]: value });
    expectRefusal(answer, 400, "invalid_body", new RegExp(`\\b${field}\\b`));
    expect(await client.get("/feature-flags")).toEqual({ feature_flags: [] });
  });

  it("says why type, status and key are refused", async () => {
    expect((await refuse({ type: "self" })).body.message).toMatch(/type: .*made here are of type self/);
    expect((await refuse({ status: "active" })).body.message).toMatch(/status: .*\/status takes it further/);
    const { id } = await make();
    const changed = await client.send("PATCH", `/feature-flags/${id}`, { key: "other", name: "Other name" });
    expectRefusal(changed, 400, "invalid_body", /key: cannot be changed/);
    expect((await client.get(`/feature-flags/${id}`)).name).toBe("Login page");
  });

  it.each([[{}], [{ name: null }], [{ parameters: {} }], [{ deployments: null }], [{ description: "xx" }], [[]]])(
    "refuses the change %j",
    async (change) => {
      const { id } = await make();
      expectRefusal(await client.send("PATCH", `/feature-flags/${id}`, change), 400, "invalid_body");
    },
  );
});

describe("parameters", () => {
  const values: [type: string, value: unknown][] = [
    ["string", ""],
    ["boolean", false],
    ["number", -1.5e10],
    ["array", [1, "a", null, { b: [] }]],
    ["object", { a: null, b: { c: [1] } }],
  ];

  it("takes a value of every type, and ten of them", async () => {
    const ten = Object.fromEntries(
      [...values, ...values].map(([type, value], index) => [
        `p ${index}`,
        { type, value, description: "x".repeat(255) },
      ]),
    );
    const made = await make({ parameters: ten });
    expect(made.parameters).toEqual(ten);
  });

  it.each(
    values.flatMap(([type]) =>
      [...values.map(([, value]) => value), null].map((value) => [type, value] as [string, unknown]),
    ),
  )("%s holds %j or is refused", async (type, value) => {
    const fits = values.some(([other, example]) => other === type && example === value);
    const created = await refuse({ parameters: { here: { type, value } } });
    const { id } = await make({ name: "Another page" });
    const changed = await client.send("PATCH", `/feature-flags/${id}`, { parameters: { here: { type, value } } });
    if (fits) {
      expect([created.status, changed.status]).toEqual([201, 200]);
      return;
    }
    const says = /^Parameter value does not match the declared type\. .*parameters\.here\.value/;
    expectRefusal(created, 400, "parameter_type_mismatch", says);
    expectRefusal(changed, 400, "parameter_type_mismatch", says);
  });

  it("may take 1 KB as JSON, and not a byte more", async () => {
    const page = (value: string) => ({ parameters: { text: { type: "string", value } } });
    const { id } = await make(page("é".repeat(511)));
    await client.patch(`/feature-flags/${id}`, page("x".repeat(1022)));
    const says = /^Parameter value exceeds maximum size of 1KB\. .*parameters\.text\.value/;
    const changed = await client.send("PATCH", `/feature-flags/${id}`, page("x".repeat(1023)));
    expectRefusal(changed, 400, "parameter_too_large", says);
    const created = await refuse({ name: "Another page", ...page(`${"é".repeat(511)}x`) });
    expectRefusal(created, 400, "parameter_too_large", says);
  });

  it("holds finite numbers only, however deep", async () => {
    const body = (value: string) =>
      `{"name":"Login page","parameters":{"a":{"type":"array","value":[{"b":${value}}]}}}`;
    const json = { "content-type": "application/json" };
    const answer = await client.send("POST", "/feature-flags", body("1e999"), json);
    expectRefusal(answer, 400, "invalid_body", /parameters\.a\.value/);
    const deep = await client.send("POST", "/feature-flags", body("[".repeat(50_000) + "]".repeat(50_000)), json);
    expect(deep.status).toBe(400);
  });

  it("may have any name but those of prototypes, which are refused", async () => {
    const names = ["toString", "hasOwnProperty", "", " ", "吉", "a.b", "0", "__defineGetter__"];
    const made = await make({ parameters: Object.fromEntries(names.map((name) => [name, parameters.title])) });
    expect(Object.keys(made.parameters).sort()).toEqual([...names].sort());
    expect(Object.keys((await client.get(`/feature-flags/${made.id}`)).parameters).sort()).toEqual([...names].sort());
    for (const name of ["__proto__", "constructor", "prototype"]) {
      const body = `{"name":"Another page","parameters":{"a":{"type":"number","value":1},"${name}":{"type":"number","value":1}}}`;
      const answer = await client.send("POST", "/feature-flags", body, { "content-type": "application/json" });
      expectRefusal(answer, 400, "invalid_body", new RegExp(`parameters\\.${name}: `));
    }
  });

  it("may change so that overrides no longer fit", async () => {
    const { id } = await make();
    const variation = await client.post(`/feature-flags/${id}/variations`, {
      name: "Warm",
      overrides: { title: { value: "Welcome" } },
    });
    await client.patch(`/feature-flags/${id}`, { parameters: { title: { type: "string", value: "Welcome" } } });
    await client.patch(`/feature-flags/${id}`, { parameters: { wide: { type: "boolean", value: true } } });
    expect(await client.get(`/feature-flags/${id}/variations/${variation.id}`)).toEqual(variation);
  });
});

it("comes as a form, too", async () => {
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const body = [
    "name=Login+page",
    "parameters[title][type]=string&parameters[title][value]=5",
    "parameters[width][type]=number&parameters[width][value]=5",
    "rollout[sticky_bucketing]=true",
  ].join("&");
  const made = await client.send("POST", "/feature-flags", body, form);
  expect(made.body).toMatchObject({
    parameters: { title: { type: "string", value: "5" }, width: { type: "number", value: 5 } },
    rollout: { sticky_bucketing: true },
  });
  const path = `/feature-flags/${made.body.id}`;
  expect((await client.send("PATCH", path, "rollout=", form)).body).not.toHaveProperty("rollout");
  const warm = "name=Warm&overrides[title][value]=Hi&overrides[width][value]=6";
  expect((await client.send("POST", `${path}/variations`, warm, form)).body).toMatchObject({
    overrides: { title: { value: "Hi" }, width: { value: 6 } },
  });
});

describe("names and keys", () => {
  it("gives a name once", async () => {
    const { id } = await make();
    const { id: other } = await make({ name: "Other page" });
    const says = /^A feature flag with this name already exists\..*flg_/;
    expectRefusal(await refuse({ key: "other" }), 409, "feature_flag_name_taken", says);
    const renamed = await client.send("PATCH", `/feature-flags/${other}`, { name: "Login page" });
    expectRefusal(renamed, 409, "feature_flag_name_taken", says);
    await client.patch(`/feature-flags/${id}`, { name: "Login page" });
  });

  it("takes the key from the name, and steps aside for others", async () => {
    expect((await make({ name: "Página  de início!" })).key).toBe("pagina_de_inicio");
    expect((await make({ name: "pagina de inicio" })).key).toBe("pagina_de_inicio_2");
    expect((await make({ name: "PAGINA de inicio" })).key).toBe("pagina_de_inicio_3");
    expect((await make({ name: "ﬃ".repeat(255) })).key).toBe("ffi".repeat(85));
    expect((await make({ name: "ffi".repeat(85) })).key).toBe(`${"ffi".repeat(84)}f_2`);
  });

  it("takes a key that is given, once", async () => {
    expect((await make({ key: "page-1" })).key).toBe("page-1");
    const again = await refuse({ name: "Other page", key: "page-1" });
    expectRefusal(again, 409, "feature_flag_key_taken", /^A feature flag with this key already exists\. key: page-1/);
  });

  it.each(["吉星高照", "Constructor", "!!!", "ы".repeat(255)])(
    "has a key where the name %s gives none",
    async (name) => {
      expect(await make({ name })).toMatchObject({ name, key: "flag" });
      expect(await make({ name: "Привет" })).toMatchObject({ key: "flag_2" });
      expect(await make({ name: "Здравствуйте", key: "mine" })).toMatchObject({ key: "mine" });
    },
  );
});

describe("deployments", () => {
  it("are named by id, each once", async () => {
    const { id } = await client.post("/deployments", { name: "Web app", type: "client" });
    const flag = await make({ deployments: [id] });
    expect(flag.deployments).toEqual([id]);
    expect((await client.patch(`/feature-flags/${flag.id}`, { deployments: [] })).deployments).toEqual([]);
    const says = /^Deployment not found\. deployments\[1\].*dep_none/;
    const created = await refuse({ name: "Other page", deployments: [id, "dep_none"] });
    expectRefusal(created, 400, "unknown_deployment", says);
    const changed = await client.send("PATCH", `/feature-flags/${flag.id}`, { deployments: [id, "dep_none"] });
    expectRefusal(changed, 400, "unknown_deployment", says);
    expectRefusal(
      await refuse({ name: "Other page", deployments: [id, id] }),
      400,
      "invalid_body",
      /deployments: .*once/,
    );
  });
});
