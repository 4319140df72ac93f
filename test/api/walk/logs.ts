import { logbookOf } from "../../../src/logs/record.ts";
import { entry, experiment, warning } from "../../logs/entry.ts";
import type { Client } from "../client.ts";
import type { Walk } from "./walk.ts";

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

export const logs: Walk = {
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
