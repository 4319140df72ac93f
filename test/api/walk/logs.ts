import { logbookOf } from "../../../src/logs/record.ts";
import { entry, experiment, warning } from "../../logs/entry.ts";
import type { Client } from "../client.ts";
import { nobody, type Walk } from "./walk.ts";

async function record({ env, tenant }: Client): Promise<void> {
  const details = { experiment: experiment("exp_a", { segment_id: "seg_m" }) };
  const known = {
    ip: "203.0.113.7",
    user_agent: "Mozilla",
    client_id: "shop",
    connection: "db",
    user_id: "auth0|anna",
  };
  const both = [details.experiment, experiment("exp_b")];
  await logbookOf(env, tenant).record([
    entry({ log_id: "1", ...known, details: { ...details, experiments: both } }),
    warning("experiment_not_found", { log_id: "2" }),
  ]);
}

/** Takes the logbook away, and sends. */
function cutOff(client: Client, path: string) {
  const gone = () => Promise.reject(new Error("gone"));
  Object.assign(client.env, { LOGBOOK: { idFromName: () => "", get: () => ({ find: gone, get: gone }) } });
  return client.send("GET", path);
}

const stream = {
  name: "Datadog",
  type: "http",
  status: "paused",
  filters: [{ type: "category", name: "auth.login.fail" }],
  sink: {
    http_endpoint: "https://logs.example.com/intake",
    http_content_type: "application/json",
    http_content_format: "JSONARRAY",
    http_authorization: "Bearer secret",
    http_custom_headers: [{ header: "DD-API-KEY", value: "secret" }],
  },
  start_from: "2030-01-31T12:00:00Z",
};
const other = { ...stream, name: "Splunk", sink: { http_endpoint: "https://logs.example.com/other" } };

/** Before the first request: settings are read once. */
async function made(client: Client, body: object = stream): Promise<string> {
  client.env.LOG_STREAM_HOSTS = "logs.example.com";
  return `/log-streams/${(await client.post("/log-streams", body)).id}`;
}

export const logs: Walk = {
  get_log_streams: {
    async 200(client) {
      await made(client);
      await made(client, other);
      return client.send("GET", "/log-streams?take=1");
    },
  },
  create_log_stream: {
    async 201(client) {
      await made(client, other);
      return client.send("POST", "/log-streams", stream);
    },
    async log_stream_name_taken(client) {
      await made(client);
      return client.send("POST", "/log-streams", stream);
    },
    async log_stream_limit_exceeded(client) {
      for (let i = 0; i < 5; i++) await made(client, { ...stream, name: `Receiver ${i}` });
      return client.send("POST", "/log-streams", stream);
    },
  },
  get_log_stream: {
    200: async (client) => client.send("GET", await made(client)),
    log_stream_not_found: ({ send }) => send("GET", `/log-streams/${nobody("lst")}`),
  },
  update_log_stream: {
    async 200(client) {
      const path = await made(client);
      await client.patch(path, { sink: stream.sink, filters: [], status: "active" });
      await client.patch(path, { sink: { http_authorization: null, http_custom_headers: [] } });
      return client.send("PATCH", path, { name: "Mine", status: "paused" });
    },
    log_stream_not_found: ({ send }) => send("PATCH", `/log-streams/${nobody("lst")}`, { name: "Mine" }),
    async log_stream_name_taken(client) {
      await made(client, other);
      return client.send("PATCH", await made(client), { name: "Splunk" });
    },
  },
  delete_log_stream: {
    204: async (client) => client.send("DELETE", await made(client)),
  },

  get_logs: {
    async 200(client) {
      await record(client);
      await client.get("/logs?page=0&per_page=2&sort=date:1&include_totals=true&fields=details&include_fields=true");
      return client.send("GET", "/logs?take=1&from=1&q=type:w");
    },
    logs_unavailable: (client) => cutOff(client, "/logs"),
  },
  get_log: {
    async 200(client) {
      await record(client);
      return client.send("GET", "/logs/1");
    },
    log_not_found: ({ send }) => send("GET", "/logs/nobody"),
    logs_unavailable: (client) => cutOff(client, "/logs/1"),
  },
};
