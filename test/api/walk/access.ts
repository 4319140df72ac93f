import type { Client } from "../client.ts";
import { bodyOf, createExperiment, createFlag } from "../experiment-stage.ts";
import { nobody, type Walk } from "./walk.ts";

const app = { name: "iOS app", type: "client" };
const holdout = { name: "Held out", type: "holdout", percentage: 5, feature_flag_ids: [] };

async function made(client: Client, path: string, body: object): Promise<string> {
  return `${path}/${(await client.post(path, body)).id}`;
}

/** Groups, deployments, tokens, the change log, publication and explanations. */
export const access: Walk = {
  get_groups: {
    async 200({ post, send }) {
      for (const name of ["Held out", "Never"]) await post("/groups", { ...holdout, name });
      return send("GET", "/groups?take=1&type=holdout");
    },
  },
  create_group: {
    async 201(client) {
      const { id } = await createFlag(client);
      return client.send("POST", "/groups", {
        name: "Log-in pages",
        description: "One at a time",
        key: "log_in_pages",
        type: "mutual_exclusion",
        bucketing_key: "user_id",
        bucketing_salt: "salt",
        slots: [{ percentage: 50, feature_flag_ids: [id] }],
      });
    },
    invalid_group: ({ send }) => send("POST", "/groups", { ...holdout, feature_flag_ids: [nobody("flg")] }),
    async group_name_taken({ post, send }) {
      await post("/groups", holdout);
      return send("POST", "/groups", { ...holdout, key: "another" });
    },
    async group_key_taken({ post, send }) {
      await post("/groups", { ...holdout, key: "held_out" });
      return send("POST", "/groups", { ...holdout, name: "Another", key: "held_out" });
    },
  },
  get_group: {
    200: async (client) => client.send("GET", await made(client, "/groups", holdout)),
    group_not_found: ({ send }) => send("GET", `/groups/${nobody("grp")}`),
  },
  update_group: {
    200: async (client) =>
      client.send("PATCH", await made(client, "/groups", holdout), { percentage: 10, description: null }),
    invalid_group: async (client) =>
      client.send("PATCH", await made(client, "/groups", holdout), { feature_flag_ids: [nobody("flg")] }),
    group_not_found: ({ send }) => send("PATCH", `/groups/${nobody("grp")}`, { name: "Mine" }),
    async group_name_taken(client) {
      await client.post("/groups", { ...holdout, name: "Another" });
      return client.send("PATCH", await made(client, "/groups", holdout), { name: "Another" });
    },
  },
  delete_group: {
    204: async (client) => client.send("DELETE", await made(client, "/groups", holdout)),
  },

  get_deployments: {
    async 200({ post, send }) {
      for (const name of ["iOS app", "Android app"]) await post("/deployments", { ...app, name });
      return send("GET", "/deployments?take=1&type=client");
    },
  },
  create_deployment: {
    201: ({ send }) => send("POST", "/deployments", { name: "Back end", description: "All of it", type: "server" }),
    async deployment_name_taken({ post, send }) {
      await post("/deployments", app);
      return send("POST", "/deployments", app);
    },
  },
  get_deployment: {
    200: async (client) => client.send("GET", await made(client, "/deployments", app)),
    deployment_not_found: ({ send }) => send("GET", `/deployments/${nobody("dep")}`),
  },
  update_deployment: {
    200: async (client) => client.send("PATCH", await made(client, "/deployments", app), { description: null }),
    deployment_not_found: ({ send }) => send("PATCH", `/deployments/${nobody("dep")}`, { name: "Mine" }),
    async deployment_name_taken(client) {
      await client.post("/deployments", { ...app, name: "Another" });
      return client.send("PATCH", await made(client, "/deployments", app), { name: "Another" });
    },
  },
  rotate_deployment: {
    200: async (client) =>
      client.send("POST", `${await made(client, "/deployments", { ...app, type: "server" })}/rotate`),
    deployment_not_found: ({ send }) => send("POST", `/deployments/${nobody("dep")}/rotate`),
  },
  delete_deployment: {
    204: async (client) => client.send("DELETE", await made(client, "/deployments", app)),
    async deployment_in_use(client) {
      const { id } = await client.post("/deployments", app);
      const flag = await createFlag(client);
      await client.patch(`/feature-flags/${flag.id}`, { deployments: [id] });
      return client.send("DELETE", `/deployments/${id}`);
    },
  },

  get_tokens: {
    async 200({ post, send }) {
      for (const name of ["CI runner", "Reader"]) await post("/tokens", { name, scopes: ["read:experimentation"] });
      return send("GET", "/tokens?take=1");
    },
  },
  create_token: {
    201: ({ send }) =>
      send("POST", "/tokens", {
        name: "CI runner",
        scopes: ["read:experimentation", "update:experimentation"],
        expires_at: "2999-12-31T23:59:59Z",
      }),
    async token_name_taken({ post, send }) {
      await post("/tokens", { name: "CI runner", scopes: ["read:experimentation"] });
      return send("POST", "/tokens", { name: "CI runner", scopes: ["read:experimentation"] });
    },
  },
  get_token: {
    200: async (client) =>
      client.send("GET", await made(client, "/tokens", { name: "CI runner", scopes: ["read:experimentation"] })),
    token_not_found: ({ send }) => send("GET", `/tokens/${nobody("tok")}`),
  },
  delete_token: {
    204: async (client) =>
      client.send("DELETE", await made(client, "/tokens", { name: "CI runner", scopes: ["read:experimentation"] })),
  },

  get_changes: {
    async 200(client) {
      const { id } = await createFlag(client);
      return client.send(
        "GET",
        `/changes?take=1&resource_type=feature_flag&resource_id=${id}&actor=root&since=2001-01-01T00:00:00Z&until=2999-01-01T00:00:00Z`,
      );
    },
  },
  explain: {
    async 200(client) {
      const flag = await createFlag(client);
      await createExperiment(client, "active", bodyOf(flag));
      return client.send("GET", "/explain?device_id=d1&user_id=u1&country=CH&flag_key=login_page");
    },
    feature_flag_not_found: ({ send }) => send("GET", "/explain?device_id=d1&flag_key=nobody"),
    experiment_not_found: ({ send }) => send("GET", `/explain?device_id=d1&experiment_id=${nobody("exp")}`),
  },
  get_snapshot: {
    async 200(client) {
      await createFlag(client);
      return client.send("GET", "/snapshot?include_snapshot=true");
    },
  },
  get_caller: {
    200: ({ send }) => send("GET", "/caller"),
  },
};
