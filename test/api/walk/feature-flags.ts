import type { Client } from "../client.ts";
import { bodyOf, createFlag } from "../experiment-stage.ts";
import { plant } from "../management/refusal.ts";
import { nobody, type Walk } from "./walk.ts";

const parameters = { title: { type: "string", value: "Hello", description: "Above the form" } };
const mistyped = { title: { type: "string", value: 1 } };
const large = { title: { type: "string", value: "x".repeat(2_000) } };
const unsound = { dependencies: { nobody: ["on"] } };
const one = { name: "Login page", parameters };

async function made(client: Client, changes: object = {}): Promise<string> {
  return (await client.post("/feature-flags", { ...one, ...changes })).id;
}

async function provided(client: Client): Promise<string> {
  const flag = await client.get(`/feature-flags/${await made(client)}`);
  await plant(client, "feature_flag", { ...flag, type: "auth0" });
  return flag.id;
}

async function archived(client: Client): Promise<string> {
  const id = await made(client);
  await client.post(`/feature-flags/${id}/status`, { status: "archived" });
  return id;
}

const path = (id: string) => `/feature-flags/${id}`;

export const featureFlags: Walk = {
  get_feature_flags: {
    async 200(client) {
      for (const name of ["Login page", "Sign-up page"]) await made(client, { name });
      return client.send("GET", "/feature-flags?take=1&type=self&status=draft");
    },
  },
  create_feature_flag: {
    async 201(client) {
      const deployment = await client.post("/deployments", { name: "iOS app", type: "client" });
      return client.send("POST", "/feature-flags", {
        ...one,
        description: "All of it",
        key: "login",
        deployments: [deployment.id],
        rollout: {
          sticky_bucketing: true,
          inclusions: {},
          targeting: [],
        },
      });
    },
    parameter_type_mismatch: ({ send }) => send("POST", "/feature-flags", { ...one, parameters: mistyped }),
    parameter_too_large: ({ send }) => send("POST", "/feature-flags", { ...one, parameters: large }),
    invalid_rollout: ({ send }) => send("POST", "/feature-flags", { ...one, rollout: unsound }),
    unknown_deployment: ({ send }) => send("POST", "/feature-flags", { ...one, deployments: [nobody("dep")] }),
    async feature_flag_name_taken(client) {
      await made(client);
      return client.send("POST", "/feature-flags", { ...one, key: "another" });
    },
    async feature_flag_key_taken(client) {
      await made(client, { key: "login" });
      return client.send("POST", "/feature-flags", { ...one, name: "Another", key: "login" });
    },
  },
  get_feature_flag: {
    200: async (client) => client.send("GET", path(await made(client))),
    feature_flag_not_found: ({ send }) => send("GET", path(nobody("flg"))),
  },
  update_feature_flag: {
    200: async (client) =>
      client.send("PATCH", path(await made(client)), { description: null, rollout: null, parameters }),
    parameter_type_mismatch: async (client) => client.send("PATCH", path(await made(client)), { parameters: mistyped }),
    parameter_too_large: async (client) => client.send("PATCH", path(await made(client)), { parameters: large }),
    invalid_rollout: async (client) => client.send("PATCH", path(await made(client)), { rollout: unsound }),
    unknown_deployment: async (client) =>
      client.send("PATCH", path(await made(client)), { deployments: [nobody("dep")] }),
    feature_flag_read_only: async (client) => client.send("PATCH", path(await provided(client)), { name: "Mine" }),
    feature_flag_not_found: ({ send }) => send("PATCH", path(nobody("flg")), { name: "Mine" }),
    async feature_flag_name_taken(client) {
      await made(client, { name: "Another" });
      return client.send("PATCH", path(await made(client)), { name: "Another" });
    },
    feature_flag_archived: async (client) => client.send("PATCH", path(await archived(client)), { name: "Mine" }),
  },
  delete_feature_flag: {
    204: async (client) => client.send("DELETE", path((await createFlag(client)).id)),
    feature_flag_read_only: async (client) => client.send("DELETE", path(await provided(client))),
    async feature_flag_in_use(client) {
      const flag = await createFlag(client);
      await client.post("/experiments", bodyOf(flag));
      return client.send("DELETE", path(flag.id));
    },
    async feature_flag_referenced(client) {
      const id = await made(client);
      await client.post("/groups", { name: "Held out", type: "holdout", percentage: 5, feature_flag_ids: [id] });
      return client.send("DELETE", path(id));
    },
  },
  update_feature_flag_status: {
    async 200(client) {
      const { id } = await createFlag(client, { status: "draft" });
      return client.send("POST", `${path(id)}/status`, { status: "active" });
    },
    invalid_status_transition: async (client) =>
      client.send("POST", `${path(await archived(client))}/status`, { status: "active" }),
    feature_flag_too_few_variations: async (client) =>
      client.send("POST", `${path(await made(client))}/status`, { status: "active" }),
    feature_flag_read_only: async (client) =>
      client.send("POST", `${path(await provided(client))}/status`, { status: "archived" }),
    feature_flag_not_found: ({ send }) => send("POST", `${path(nobody("flg"))}/status`, { status: "active" }),
  },
};
