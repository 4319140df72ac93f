import type { Client } from "../client.ts";
import { bodyOf, createFlag, createSegment, segmentBodyOf } from "../experiment-stage.ts";
import { plant } from "../management/refusal.ts";
import { nobody, rules, type Walk } from "./walk.ts";

/** More alternatives than the engine will try. */
const prefixes = ["client_id", "connection", "domain", "browser", "platform", "country", "region"];
const heavyRules = [{ not_match: Object.fromEntries(prefixes.map((name) => [name, { starts_with: ["x"] }])) }];

async function provided(client: Client): Promise<string> {
  const segment = await client.post("/segments", { name: "Phones", rules });
  await plant(client, "segment", { ...segment, type: "auth0" });
  return segment.id;
}

export const segments: Walk = {
  get_segments: {
    async 200({ post, send }) {
      for (const name of ["Phones", "Tablets"]) await post("/segments", { name, rules });
      return send("GET", "/segments?take=1&type=self");
    },
  },
  create_segment: {
    201: ({ send }) =>
      send("POST", "/segments", {
        name: "Phones",
        description: "Small screens",
        rules: [
          {
            match: { device_type: ["mobile"], country: { starts_with: ["D"] } },
            not_match: { region: { exists: true } },
          },
        ],
      }),
    invalid_segment_rules: ({ send }) => send("POST", "/segments", { name: "Phones", rules: heavyRules }),
    async segment_name_taken(client) {
      await createSegment(client);
      return client.send("POST", "/segments", { name: "Phones", rules });
    },
  },
  get_segment: {
    200: async (client) => client.send("GET", `/segments/${await createSegment(client)}`),
    segment_not_found: ({ send }) => send("GET", `/segments/${nobody("seg")}`),
  },
  update_segment: {
    200: async (client) =>
      client.send("PATCH", `/segments/${await createSegment(client)}`, { description: null, rules }),
    invalid_segment_rules: async (client) =>
      client.send("PATCH", `/segments/${await createSegment(client)}`, { rules: heavyRules }),
    segment_read_only: async (client) => client.send("PATCH", `/segments/${await provided(client)}`, { name: "Mine" }),
    segment_not_found: ({ send }) => send("PATCH", `/segments/${nobody("seg")}`, { name: "Mine" }),
    async segment_name_taken(client) {
      await createSegment(client, "Tablets");
      return client.send("PATCH", `/segments/${await createSegment(client)}`, { name: "Tablets" });
    },
  },
  delete_segment: {
    204: async (client) => client.send("DELETE", `/segments/${await createSegment(client)}`),
    segment_read_only: async (client) => client.send("DELETE", `/segments/${await provided(client)}`),
    async segment_in_use(client) {
      const flag = await createFlag(client);
      const id = await createSegment(client);
      await client.post("/experiments", segmentBodyOf(flag, id));
      await client.post("/experiments", bodyOf(flag, { name: "Another" }));
      return client.send("DELETE", `/segments/${id}`);
    },
  },
};
