import { createDelivery } from "../../../src/ledger/delivery.ts";
import type { Client } from "../client.ts";
import { bodyOf, createExperiment, createFlag } from "../experiment-stage.ts";
import { visit } from "../visits.ts";
import { type Case, nobody, type Walk } from "./walk.ts";

/** An experiment with a few visitors, of whom one has never been assigned. */
const seen =
  (under: string): Case =>
  async (client: Client) => {
    const flag = await createFlag(client);
    const { id } = await createExperiment(client, "active", bodyOf(flag));
    const of = (unit: number) => ({
      tenant: client.tenant,
      experiment_id: id,
      variation_id: flag.variations[unit % 2] ?? "",
    });
    const events = Array.from({ length: 8 }, (_, unit) => visit(`unit-${unit}`, of(unit)));
    await createDelivery(client.env)(client.tenant, [...events.flat(), ...visit("stray", of(0)).slice(1)]);
    return client.send("GET", `/experiments/${id}/${under}`);
  };

export const evidence: Walk = {
  get_experiment_report: {
    200: seen("report?from=2030-01-01T00:00:00Z&to=2031-01-01T00:00:00%2B01:00"),
    experiment_not_found: ({ send }) => send("GET", `/experiments/${nobody("exp")}/report`),
  },
  get_experiment_diagnosis: {
    200: seen("diagnosis?from=2030-01-01T00:00:00Z"),
    experiment_not_found: ({ send }) => send("GET", `/experiments/${nobody("exp")}/diagnosis`),
  },
};
