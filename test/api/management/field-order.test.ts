import { expect, it } from "vitest";
import { type Client, createClient } from "../client.ts";
import { bodyOf, createFlag } from "../experiment-stage.ts";

const times = ["created_at", "updated_at"];
const orders: Record<string, string[]> = {
  "feature-flags": ["id", "name", "description", "type", "status", "parameters", ...times, "key", "deployments"],
  segments: ["id", "name", "description", "type", "rules", ...times],
  groups: ["id", "name", "description", "type", "key", "percentage", "feature_flag_ids", ...times],
  deployments: ["id", "name", "description", "type", "key", ...times],
  experiments: [
    ...["id", "name", "description", "feature_flag_id", "authentication_flow", "allocation_strategy"],
    ...["assignment_config", "status", "is_valid", "is_stateful", "allocations", "editable_fields", "levels"],
    ...["current_level", "epoch", ...times],
  ],
};
const variationOrder = ["id", "feature_flag_id", "name", "description", "overrides", ...times, "key"];

/** Sent in an order that no one would answer in. */
async function fill(client: Client): Promise<{ paths: string[]; variations: string }> {
  const flag = await createFlag(client);
  const { id: experiment } = await client.post("/experiments", bodyOf(flag, { levels: [5], is_stateful: true }));
  const { id: segment } = await client.post("/segments", { rules: [{ match: { country: ["DE"] } }], name: "Germans" });
  const holdout = { feature_flag_ids: [], percentage: 5, type: "holdout", name: "Held out" };
  const { id: group } = await client.post("/groups", holdout);
  const { id: deployment } = await client.post("/deployments", { type: "client", name: "Web app" });
  return {
    paths: [
      `feature-flags/${flag.id}`,
      `experiments/${experiment}`,
      `segments/${segment}`,
      `groups/${group}`,
      `deployments/${deployment}`,
    ],
    variations: `/feature-flags/${flag.id}/variations`,
  };
}

it("is one, whatever order things were sent and edited in", async () => {
  const client = createClient();
  const { paths, variations } = await fill(client);
  for (const path of paths) {
    const [room = ""] = path.split("/");
    const patched = await client.patch(`/${path}`, { description: "Told later" });
    expect(Object.keys(patched)).toEqual(orders[room]);
    expect(Object.keys(await client.get(`/${path}`))).toEqual(orders[room]);
    const [listed] = (await client.get(`/${room}`))[room.replace("-", "_")];
    expect(Object.keys(listed)).toEqual(orders[room]);
  }
  const [first] = (await client.get(variations)).variations;
  const patched = await client.patch(`${variations}/${first.id}`, { description: "Told later" });
  expect(Object.keys(patched)).toEqual(variationOrder);
  expect(Object.keys(await client.get(`${variations}/${first.id}`))).toEqual(variationOrder);
  const [change] = (await client.get("/changes")).changes;
  expect(Object.keys(change.after)).toEqual(variationOrder);
});

it("is that of the copies that an activation takes, too", async () => {
  const client = createClient();
  const flag = await createFlag(client);
  const { id } = await client.post("/experiments", bodyOf(flag));
  const active = await client.post(`/experiments/${id}/status`, { status: "active" });
  expect(Object.keys(active.feature_flag_snapshot)).toEqual(Object.keys(await client.get(`/feature-flags/${flag.id}`)));
  const { variation_id, variation_snapshot } = active.allocations[0];
  const shown = await client.get(`/feature-flags/${flag.id}/variations/${variation_id}`);
  expect(Object.keys(variation_snapshot)).toEqual(Object.keys(shown));
});

it("is the same of what was imported", async () => {
  const source = createClient();
  const { paths } = await fill(source);
  const target = createClient();
  await target.post("/import", await source.get("/export"));
  for (const path of paths) {
    const [room = ""] = path.split("/");
    const [listed] = (await target.get(`/${room}`))[room.replace("-", "_")];
    const known = orders[room]?.filter((field) => Object.hasOwn(listed, field));
    expect(Object.keys(listed)).toEqual(known);
  }
});
