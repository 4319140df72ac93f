import type { Client } from "../client.ts";
import { nobody, type Walk } from "./walk.ts";

const push = { name: "Buyers", id_type: "user", source: { type: "push" } };
const fetched = {
  name: "Shoppers",
  description: "Who has looked",
  id_type: "device",
  source: { type: "url", url: "https://data.example.com/a.ndjson", format: "ndjson", field: "device" },
  credentials: { type: "basic", username: "reader", password: "secret" },
  refresh_minutes: 30,
};
const json = { "content-type": "application/json" };

async function made(client: Client, body: object = push): Promise<string> {
  allowHost(client);
  return `/cohorts/${(await client.post("/cohorts", body)).id}`;
}

/** Before the first request: settings are read once. */
function allowHost({ env }: Client): void {
  env.COHORT_HOSTS = "data.example.com";
}

/** Takes the cohort object away, and sends. */
async function cutOff(client: Client, method: string, under: string, body?: object) {
  const path = await made(client, method === "POST" && under === "/refresh" ? fetched : push);
  const gone = () => Promise.reject(new Error("gone"));
  const lost = { status: gone, refresh: gone, find: gone, list: gone, push: gone };
  Object.assign(client.env, { COHORTS: { idFromName: () => "", get: () => lost } });
  return body === undefined
    ? client.send(method, `${path}${under}`)
    : client.send(method, `${path}${under}`, JSON.stringify(body), json);
}

const missing = (method: string, under: string) => (client: Client) =>
  client.send(method, `/cohorts/${nobody("coh")}${under}`, method === "PATCH" ? { name: "Mine" } : undefined);

function uploads(method: string): Walk[string] {
  return {
    200: async (client) => client.send(method, `${await made(client)}/members?field=name`, '["a",{"name":"b"}]', json),
    cohort_not_pushed: async (client) => client.send(method, `${await made(client, fetched)}/members`, '["a"]', json),
    invalid_members: async (client) => client.send(method, `${await made(client)}/members`, '["a"', json),
    cohort_not_found: missing(method, "/members"),
    cohorts_unavailable: (client) => cutOff(client, method, "/members", ["a"]),
  };
}

export const cohorts: Walk = {
  get_cohorts: {
    async 200(client) {
      await made(client);
      await made(client, { ...push, name: "Others" });
      return client.send("GET", "/cohorts?take=1&id_type=user");
    },
  },
  create_cohort: {
    async 201(client) {
      await made(client, { ...fetched, name: "Bearers", credentials: { type: "bearer", token: "secret" } });
      await made(client);
      return client.send("POST", "/cohorts", fetched);
    },
    async cohort_name_taken(client) {
      await made(client);
      return client.send("POST", "/cohorts", push);
    },
  },
  get_cohort: {
    200: async (client) => client.send("GET", await made(client, fetched)),
    cohort_not_found: missing("GET", ""),
  },
  update_cohort: {
    async 200(client) {
      const { id_type: _, ...changes } = fetched;
      const path = await made(client);
      await client.patch(path, { ...changes, credentials: { type: "bearer", token: "secret" } });
      return client.send("PATCH", path, { ...changes, description: null, credentials: null });
    },
    cohort_not_found: missing("PATCH", ""),
    async cohort_name_taken(client) {
      await made(client, { ...push, name: "Taken" });
      return client.send("PATCH", await made(client), { name: "Taken" });
    },
  },
  delete_cohort: {
    204: async (client) => client.send("DELETE", await made(client)),
    async cohort_in_use(client) {
      const path = await made(client);
      const rules = [{ match: { cohort: [path.slice("/cohorts/".length)] } }];
      await client.post("/segments", { name: "Buyers", rules });
      return client.send("DELETE", path);
    },
  },
  refresh_cohort: {
    200: async (client) => client.send("POST", `${await made(client, fetched)}/refresh`),
    cohort_not_fetched: async (client) => client.send("POST", `${await made(client)}/refresh`),
    cohort_not_found: missing("POST", "/refresh"),
    cohorts_unavailable: (client) => cutOff(client, "POST", "/refresh"),
  },
  get_cohort_member: {
    200: async (client) => client.send("GET", `${await made(client)}/members/anybody%2F`),
    cohort_not_found: missing("GET", "/members/anybody"),
    cohorts_unavailable: (client) => cutOff(client, "GET", "/members/anybody"),
  },
  get_cohort_members: {
    async 200(client) {
      const path = await made(client);
      await client.send("PUT", `${path}/members`, '["a","b"]', json);
      return client.send("GET", `${path}/members?take=1`);
    },
    cohort_not_found: missing("GET", "/members"),
    cohorts_unavailable: (client) => cutOff(client, "GET", "/members"),
  },
  add_cohort_members: uploads("POST"),
  remove_cohort_members: uploads("DELETE"),
  replace_cohort_members: uploads("PUT"),
};
