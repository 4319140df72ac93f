import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Client, createClient } from "../client.ts";
import { bodyOf, createExperiment, createFlag } from "../experiment-stage.ts";
import { expectRefusal } from "./refusal.ts";

/** KV is written once a second at most. */
const soon = { timeout: 10_000 };

let client: Client;
beforeEach(() => {
  client = createClient();
});

const hashOf = async (key: string) =>
  Buffer.from(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key))).toString("base64url");

/** What KV holds of the deployments. */
const published = async () => (await client.published()).deployments;

describe("a deployment", () => {
  it("of an app always shows its key", async () => {
    const made = await client.send("POST", "/deployments", { name: "iOS app", type: "client", description: "The app" });
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      id: expect.stringMatching(/^dep_[A-HJ-NP-Za-km-z1-9]+$/),
      name: "iOS app",
      description: "The app",
      type: "client",
      key: expect.stringMatching(/^client-[\w-]{32}$/),
      created_at: expect.any(String),
      updated_at: made.body.created_at,
    });
    expect(await client.get(`/deployments/${made.body.id}`)).toEqual(made.body);
    expect(await client.get("/deployments")).toEqual({ deployments: [made.body] });
  });

  it("of a back end shows its key once, and keeps but a hash of it", async () => {
    const made = await client.send("POST", "/deployments", { name: "Back end", type: "server" });
    expect(made.status).toBe(201);
    const { key, ...rest } = made.body;
    expect(key).toMatch(/^server-[\w-]{32}$/);
    expect(await client.get(`/deployments/${rest.id}`)).toEqual(rest);
    expect(await client.get("/deployments")).toEqual({ deployments: [rest] });
    expect(await client.patch(`/deployments/${rest.id}`, { name: "Other" })).not.toHaveProperty("key");
    await vi.waitFor(
      async () =>
        expect(await published()).toEqual([
          { id: rest.id, type: "server", key_hash: await hashOf(key), flag_keys: [] },
        ]),
      soon,
    );
    expect(JSON.stringify(await client.published())).not.toContain(key);
    expect(JSON.stringify(await client.get("/changes"))).not.toContain(key);
  }, 15_000);

  it("has a key of its own", async () => {
    const keys = new Set<string>();
    for (const name of ["First", "Second", "Third"]) {
      keys.add((await client.post("/deployments", { name, type: "client" })).key);
    }
    expect(keys.size).toBe(3);
  });

  it("changes, and is let go of", async () => {
    const made = await client.post("/deployments", { name: "iOS app", type: "client", description: "The app" });
    const path = `/deployments/${made.id}`;
    const { description: _, ...kept } = made;
    const changed = await client.patch(path, { name: "App", description: null });
    expect(changed).toEqual({ ...kept, name: "App", updated_at: changed.updated_at });
    expect((await client.send("DELETE", path)).status).toBe(204);
    expect((await client.send("DELETE", path)).status).toBe(204);
    expectRefusal(await client.send("GET", path), 404, "deployment_not_found");
    expectRefusal(await client.send("PATCH", path, { name: "App" }), 404, "deployment_not_found");
    expectRefusal(await client.send("POST", `${path}/rotate`), 404, "deployment_not_found");
  });

  it.each(["client", "server"])(
    "of type %s takes a new key, which alone is published",
    async (type) => {
      const { key, ...made } = await client.post("/deployments", { name: "One", type });
      const answer = await client.send("POST", `/deployments/${made.id}/rotate`);
      expect(answer.status).toBe(200);
      const { key: fresh, ...rest } = answer.body;
      expect(rest).toEqual({ ...made, updated_at: rest.updated_at });
      expect(fresh).toMatch(new RegExp(`^${type}-`));
      expect(fresh).not.toBe(key);
      expect(await client.get(`/deployments/${made.id}`)).toEqual(type === "client" ? answer.body : rest);
      await vi.waitFor(
        async () => expect(await published()).toEqual([expect.objectContaining({ key_hash: await hashOf(fresh) })]),
        soon,
      );
    },
    15_000,
  );

  it("is listed by page and type", async () => {
    for (const name of ["First", "Second", "Third"]) await client.post("/deployments", { name, type: "client" });
    await client.post("/deployments", { name: "Back end", type: "server" });
    const names = ({ deployments }: { deployments: { name: string }[] }) => deployments.map(({ name }) => name);
    const first = await client.get("/deployments?take=2&type=client");
    expect(names(first)).toEqual(["First", "Second"]);
    const last = await client.get(`/deployments?take=2&type=client&from=${first.next}`);
    expect(names(last)).toEqual(["Third"]);
    expect(last).not.toHaveProperty("next");
    expect(names(await client.get("/deployments?type=server"))).toEqual(["Back end"]);
    expectRefusal(await client.send("GET", "/deployments?type=app"), 400, "invalid_query_string", /client or server/);
  });

  it("shares its name with no other", async () => {
    const { id } = await client.post("/deployments", { name: "First", type: "client" });
    const second = await client.post("/deployments", { name: "Second", type: "client" });
    const says = new RegExp(id);
    const made = await client.send("POST", "/deployments", { name: "First", type: "server" });
    expectRefusal(made, 409, "deployment_name_taken", says);
    const named = await client.send("PATCH", `/deployments/${second.id}`, { name: "First" });
    expectRefusal(named, 409, "deployment_name_taken", says);
  });

  it.each<[string, string, unknown, RegExp]>([
    ["POST", "", { name: "App" }, /type/],
    ["POST", "", { name: "App", type: "app" }, /type: must be client or server/],
    ["POST", "", { name: "A", type: "client" }, /name: must have at least 3 characters/],
    ["POST", "", { name: "App", type: "client", key: "mine" }, /key: /],
    ["PATCH", "/dep_Any", {}, /at least one of/],
    ["PATCH", "/dep_Any", { type: "server" }, /type: /],
    ["PATCH", "/dep_Any", { key: "mine" }, /key: /],
  ])("is refused: %s %s %j", async (method, path, body, says) => {
    expectRefusal(await client.send(method, `/deployments${path}`, body), 400, "invalid_body", says);
  });
});

describe("a deployment that flags name", () => {
  it("publishes them, served or not, and stays as long as they name it", async () => {
    const deployment = await client.post("/deployments", { name: "iOS app", type: "client" });
    const flag = await createFlag(client, { name: "Login page" });
    const draft = await createFlag(client, { name: "Not served", status: "draft" });
    const path = `/feature-flags/${flag.id}`;
    for (const { id } of [flag, draft]) {
      await client.patch(`/feature-flags/${id}`, { deployments: [deployment.id] });
    }
    await createExperiment(client, "active", bodyOf(flag));
    await vi.waitFor(
      async () => expect(await published()).toMatchObject([{ flag_keys: ["login_page", "not_served"] }]),
      soon,
    );
    const remove = () => client.send("DELETE", `/deployments/${deployment.id}`);
    expectRefusal(await remove(), 409, "deployment_in_use", /"Login page", "Not served"/);
    await client.patch(path, { deployments: [] });
    expectRefusal(await remove(), 409, "deployment_in_use", /by "Not served"/);
    await client.post(`/feature-flags/${draft.id}/status`, { status: "archived" });
    expect((await remove()).status).toBe(204);
    expect(await client.get(`/feature-flags/${draft.id}`)).toMatchObject({ deployments: [] });
    await vi.waitFor(async () => expect(await published()).toEqual([]), soon);
  }, 25_000);

  it("is none of the management API where it is built in", async () => {
    const flag = await createFlag(client, { name: "Archived page", status: "draft" });
    expect(await client.get(`/feature-flags/${flag.id}`)).toMatchObject({ deployments: ["gate"] });
    await client.post(`/feature-flags/${flag.id}/status`, { status: "archived" });
    const path = "/deployments/gate";
    expectRefusal(await client.send("GET", path), 404, "deployment_not_found");
    expectRefusal(await client.send("PATCH", path, { name: "App" }), 404, "deployment_not_found");
    expectRefusal(await client.send("POST", `${path}/rotate`), 404, "deployment_not_found");
    expectRefusal(await client.send("DELETE", path), 409, "deployment_in_use", /"gate" is built in/);
    expect(await client.get(`/feature-flags/${flag.id}`)).toMatchObject({ deployments: ["gate"] });
  });
});
