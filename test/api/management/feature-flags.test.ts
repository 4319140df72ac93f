import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Client, createClient } from "../client.ts";
import { expectRefusal, plant } from "./refusal.ts";

const parameters = { title: { type: "string", value: "Hello" } };

let client: Client;
beforeEach(() => {
  client = createClient();
});

const make = (body: object = {}) => client.post("/feature-flags", { name: "Login page", parameters, ...body });

async function makeActive(body: object = {}) {
  const flag = await make(body);
  for (const name of ["Control", "Treatment"]) {
    await client.post(`/feature-flags/${flag.id}/variations`, { name, overrides: {} });
  }
  return client.post(`/feature-flags/${flag.id}/status`, { status: "active" });
}

async function experimentOn(flag: { id: string }) {
  const { variations } = await client.get(`/feature-flags/${flag.id}/variations`);
  return client.post("/experiments", {
    name: "Headline",
    feature_flag_id: flag.id,
    authentication_flow: "authentication",
    allocation_strategy: "percentage",
    assignment_config: { subject: "device" },
    allocations: variations.map(({ id }: { id: string }, index: number) => ({
      variation_id: id,
      weight: 50,
      is_control: index === 0,
    })),
  });
}

it("keeps a flag, changes it and lets go of it", async () => {
  const made = await client.send("POST", "/feature-flags", { name: "Login page", parameters });
  expect(made.status).toBe(201);
  expect(made.body).toEqual({
    id: expect.stringMatching(/^flg_[A-HJ-NP-Za-km-z1-9]+$/),
    name: "Login page",
    type: "self",
    status: "draft",
    parameters,
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    updated_at: made.body.created_at,
    key: "login_page",
    deployments: ["gate"],
  });
  const { id } = made.body;
  expect(await client.get(`/feature-flags/${id}`)).toEqual(made.body);

  const described = await client.patch(`/feature-flags/${id}`, { description: "Words on it" });
  expect(described).toEqual({ ...made.body, description: "Words on it", updated_at: described.updated_at });
  const cleared = await client.patch(`/feature-flags/${id}`, { description: null });
  expect(cleared).toEqual({ ...made.body, updated_at: cleared.updated_at });
  const renamed = await client.patch(`/feature-flags/${id}`, {
    name: "Sign-up page",
    parameters: { wide: { type: "boolean", value: true, description: "" } },
  });
  expect(renamed).toMatchObject({ name: "Sign-up page", key: "login_page" });
  expect(renamed.parameters).toEqual({ wide: { type: "boolean", value: true, description: "" } });

  expect((await client.send("DELETE", `/feature-flags/${id}`)).status).toBe(204);
  expect((await client.send("DELETE", `/feature-flags/${id}`)).status).toBe(204);
  expectRefusal(
    await client.send("GET", `/feature-flags/${id}`),
    404,
    "feature_flag_not_found",
    /^Feature flag not found\.$/,
  );
});

it("answers 404 for a flag that is not there", async () => {
  for (const [method, path, body] of [
    ["GET", "/feature-flags/flg_none", undefined],
    ["PATCH", "/feature-flags/flg_none", { name: "Another" }],
    ["POST", "/feature-flags/flg_none/status", { status: "active" }],
    ["GET", "/feature-flags/__proto__", undefined],
  ] as const) {
    expectRefusal(await client.send(method, path, body), 404, "feature_flag_not_found");
  }
});

it("lists by type and status, page by page", async () => {
  const made: { id: string }[] = [];
  for (let index = 0; index < 5; index++) made.push(await make({ name: `Number ${index}` }));
  await client.post(`/feature-flags/${made[1]?.id}/status`, { status: "archived" });
  const names = (answer: { feature_flags: { name: string }[] }) => answer.feature_flags.map(({ name }) => name);

  expect(await client.get("/feature-flags")).toEqual({ feature_flags: expect.any(Array) });
  expect(names(await client.get("/feature-flags?status=archived"))).toEqual(["Number 1"]);
  expect(names(await client.get("/feature-flags?type=auth0"))).toEqual([]);
  const first = await client.get("/feature-flags?take=2&type=self&status=draft");
  expect(names(first)).toEqual(["Number 0", "Number 2"]);
  const last = await client.get(`/feature-flags?take=2&type=self&status=draft&from=${first.next}`);
  expect(names(last)).toEqual(["Number 3", "Number 4"]);
  expect(last).not.toHaveProperty("next");
});

it.each(["take=0", "take=51", "take=x", "type=ours", "status=paused", "name=x", "from=!"])(
  "refuses ?%s",
  async (query) => {
    const answer = await client.send("GET", `/feature-flags?${query}`);
    expectRefusal(answer, 400, "invalid_query_string", new RegExp(query.split("=")[0] ?? ""));
  },
);

describe("status", () => {
  const statuses = ["draft", "active", "archived"];
  const allowed = ["draft to active", "draft to archived", "active to archived"];

  it.each(statuses.flatMap((from) => statuses.map((to) => [from, to])))("from %s to %s", async (from, to) => {
    const flag = from === "active" ? await makeActive() : await make();
    for (const name of ["Ava", "Ben"])
      await client.post(`/feature-flags/${flag.id}/variations`, { name, overrides: {} });
    if (from === "archived") await client.post(`/feature-flags/${flag.id}/status`, { status: "archived" });
    const answer = await client.send("POST", `/feature-flags/${flag.id}/status`, { status: to });
    if (allowed.includes(`${from} to ${to}`)) {
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ ...flag, status: to, updated_at: answer.body.updated_at });
    } else {
      const says = new RegExp(`^Status transition is not allowed\\. A feature flag that is ${from} `);
      expectRefusal(answer, 400, "invalid_status_transition", says);
    }
    const stored = await client.get(`/feature-flags/${flag.id}`);
    expect(stored.status).toBe(answer.status === 200 ? to : from);
  });

  it("is active with two variations at least", async () => {
    const { id } = await make();
    const says = /^Feature flag must have at least 2 variations to be activated\./;
    for (const name of ["Ava", "Ben"]) {
      const answer = await client.send("POST", `/feature-flags/${id}/status`, { status: "active" });
      expectRefusal(answer, 400, "feature_flag_too_few_variations", says);
      await client.post(`/feature-flags/${id}/variations`, { name, overrides: {} });
    }
    expect(await client.post(`/feature-flags/${id}/status`, { status: "active" })).toMatchObject({ status: "active" });
  });

  it.each([{}, { status: "paused" }, { status: null }, { status: "active", force: true }])(
    "refuses %j",
    async (body) => {
      const { id } = await make();
      expectRefusal(
        await client.send("POST", `/feature-flags/${id}/status`, body),
        400,
        "invalid_body",
        /status|force/,
      );
    },
  );

  it("archived keeps a flag as it is, but may be deleted", async () => {
    const { id } = await make();
    await client.post(`/feature-flags/${id}/status`, { status: "archived" });
    const answer = await client.send("PATCH", `/feature-flags/${id}`, { name: "Other name" });
    expectRefusal(answer, 409, "feature_flag_archived", /^Feature flag is archived and cannot be modified\.$/);
    expectRefusal(await client.send("PATCH", `/feature-flags/${id}`, { name: 1 }), 400, "invalid_body");
    await client.delete(`/feature-flags/${id}`);
  });
});

it("leaves flags of the provider's alone", async () => {
  const flag = await make();
  const variation = await client.post(`/feature-flags/${flag.id}/variations`, { name: "Warm", overrides: {} });
  await plant(client, "feature_flag", { ...flag, type: "auth0" });
  const path = `/feature-flags/${flag.id}`;
  for (const answer of [
    await client.send("PATCH", path, { name: "Mine" }),
    await client.send("DELETE", path),
    await client.send("POST", `${path}/status`, { status: "archived" }),
    await client.send("POST", `${path}/variations`, { name: "Cold", overrides: {} }),
    await client.send("PATCH", `${path}/variations/${variation.id}`, { name: "Cold" }),
    await client.send("DELETE", `${path}/variations/${variation.id}`),
  ]) {
    expectRefusal(answer, 403, "feature_flag_read_only", /^Feature flag cannot be modified\.$/);
  }
  expect(await client.get("/feature-flags?type=auth0")).toEqual({ feature_flags: [{ ...flag, type: "auth0" }] });
});

describe("deleting", () => {
  it("takes the variations along, and the change log has each", async () => {
    const flag = await makeActive();
    const { variations } = await client.get(`/feature-flags/${flag.id}/variations`);
    await client.delete(`/feature-flags/${flag.id}`);
    const { changes } = await client.get("/changes?operation=delete_feature_flag");
    const gone = changes.map(({ resource_id, after }: { resource_id: string; after: unknown }) => [resource_id, after]);
    expect(gone.toSorted()).toEqual([flag, ...variations].map(({ id }) => [id, null]).toSorted());
    // KV takes one write a second.
    await vi.waitFor(async () => expect((await client.published()).flags).toEqual([]), { timeout: 4_000 });
  });

  it("is refused while an experiment that is not archived uses the flag", async () => {
    const flag = await makeActive();
    const experiment = await experimentOn(flag);
    expectRefusal(
      await client.send("DELETE", `/feature-flags/${flag.id}`),
      409,
      "feature_flag_in_use",
      /^Feature flag is in use by one or more non-archived experiments and cannot be deleted\. .*"Headline"/,
    );
    await client.post(`/experiments/${experiment.id}/status`, { status: "archived" });
    await client.delete(`/feature-flags/${flag.id}`);
  });

  it("is refused while another flag depends on the flag", async () => {
    const flag = await makeActive();
    const other = await make({ name: "Other page", rollout: { dependencies: { login_page: ["control"] } } });
    const answer = await client.send("DELETE", `/feature-flags/${flag.id}`);
    expectRefusal(answer, 409, "feature_flag_referenced", /feature flag "Other page"/);
    await client.post(`/feature-flags/${other.id}/status`, { status: "archived" });
    await client.delete(`/feature-flags/${flag.id}`);
  });

  it("is refused while a group holds the flag", async () => {
    const flag = await make();
    const body = { type: "holdout", name: "Held out", percentage: 5, feature_flag_ids: [flag.id] };
    const group = await client.post("/groups", body);
    const answer = await client.send("DELETE", `/feature-flags/${flag.id}`);
    expectRefusal(answer, 409, "feature_flag_referenced", /group "Held out"/);
    await client.delete(`/groups/${group.id}`);
    await client.delete(`/feature-flags/${flag.id}`);
  });
});
