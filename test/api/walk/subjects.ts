import { createDelivery } from "../../../src/ledger/delivery.ts";
import { event } from "../../ledger/events.ts";
import type { Walk } from "./walk.ts";

export const subjects: Walk = {
  delete_subject: {
    200: (client) => client.send("DELETE", "/subjects?device_id=a-phone&user_id=auth0%7Canna"),
    async ledger_unavailable(client) {
      await createDelivery(client.env)(client.tenant, [event({ tenant: client.tenant })]);
      const gone = () => Promise.reject(new Error("gone"));
      Object.assign(client.env, { LEDGER: { idFromName: () => "", get: () => ({ mostShards: gone }) } });
      return client.send("DELETE", "/subjects?device_id=a-phone");
    },
  },
};
