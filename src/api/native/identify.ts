/** A device turns out to be a user's: told of the experiments that the device is in now, by which both can be counted as one. */
import { userOf } from "../../model/user.ts";
import { staleness } from "../serving/desk.ts";
import type { Serving } from "../serving/front.ts";
import { overrideIn } from "../serving/override.ts";
import { attributesOf, completeUser } from "../serving/user.ts";
import type { Answer } from "./native.ts";
import { readIdentified } from "./read.ts";
import { refuse } from "./refuse.ts";

export function createIdentify({ desk, reporter, keyring, now }: Serving): Answer {
  return async ({ request, url, client, visit }) => {
    const identified = await readIdentified(request);
    if ("code" in identified) return refuse(identified);
    const { deviceId, userId, attributes } = identified;
    const { tenant, deployment } = client;
    const { override } = await overrideIn(keyring, tenant, url, now());
    // As the device was seen before anybody knew whose it is.
    const device = { deviceId, userId: null };
    const user = completeUser(userOf(device, attributes), request, client);
    const asked = { subject: device, flagKeys: deployment.flagKeys, user, override };
    const { flags } = await desk.answer(client, asked, visit);
    const assignments = flags.flatMap(({ assignment }) =>
      assignment === null || assignment.method === "forced" || assignment.experiment.subject !== "device"
        ? []
        : [assignment],
    );
    const occasion = {
      tenant: tenant.id,
      atMs: now(),
      source: "native" as const,
      deployment: deployment.id,
      attributes: attributesOf(user, request, url, client),
    };
    const telling = { occasion, subject: { deviceId, userId }, told: [], identified: assignments };
    if (!(await reporter.record(telling, visit))) return refuse({ code: "events_unavailable" });
    const linked = assignments.map(({ experiment }) => experiment.id);
    return Response.json({ linked }, { headers: { "cache-control": "no-store", ...staleness(client) } });
  };
}
