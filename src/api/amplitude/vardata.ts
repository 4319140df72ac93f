/** Remote evaluation: a user's variants. */

import type { ServedFlag } from "../../assignment/serve.ts";
import { staleness } from "../serving/desk.ts";
import type { Serving, Speaker } from "../serving/front.ts";
import { readKey } from "../serving/key.ts";
import { overrideIn, warningsOf } from "../serving/override.ts";
import type { Told } from "../serving/report.ts";
import { attributesOf, completeUser, subjectOf } from "../serving/user.ts";
import { readAsked } from "./asked.ts";
import { isRefused, methodNotAllowed, refusalOf, refuse, warningHeader } from "./refuse.ts";
import { variantJson } from "./variant-json.ts";

const nobody = {
  status: 400,
  code: "subject_required",
  message: "A user needs a user_id or a device_id.",
} as const;

export function createVardata({ desk, reporter, keyring, now }: Serving): Speaker {
  return async (request, url, path, visit) => {
    const { method, headers } = request;
    if (method !== "GET" && method !== "HEAD" && method !== "POST") return refuse(methodNotAllowed("GET, HEAD, POST"));
    const client = await desk.admit(readKey(headers), visit);
    // The user of a client that tries again waits all the while.
    if (isRefused(client)) return refuse(refusalOf(client, 404));
    const asked = await readAsked(request, url);
    if ("status" in asked) return refuse(asked);
    const user = completeUser(asked.user, request, client);
    const subject = subjectOf(user);
    if (subject.deviceId === null && subject.userId === null) return refuse(nobody);

    const { tenant, deployment } = client;
    const wish = await overrideIn(keyring, tenant, url, now());
    const served = await desk.answer(
      client,
      {
        flagKeys: asked.flagKeys?.filter((key) => deployment.flagKeys.includes(key)) ?? deployment.flagKeys,
        user,
        ...(asked.groups === undefined ? {} : { groups: asked.groups }),
        override: wish.override,
        subject,
      },
      visit,
    );
    reporter.warn(tenant, { request, url }, warningsOf(wish, served), visit);

    const happened = happenedTo(served.flags, headers);
    if (happened.length > 0) {
      const attributes = attributesOf(user, request, url, client);
      const source = "amplitude" as const;
      const occasion = { tenant: tenant.id, atMs: now(), source, deployment: deployment.id, attributes };
      const telling = { occasion, subject, told: happened, links: true };
      visit.ctx.waitUntil(reporter.report(telling, visit.bindings.EVENTS));
    }

    const isFirstVersion = path !== "/sdk/v2/vardata";
    const given = isFirstVersion
      ? served.flags.filter(({ variant }) => variant.metadata?.default !== true)
      : served.flags;
    return new Response(`{${given.map(({ key, variant }) => `${JSON.stringify(key)}:${variantJson(variant)}`)}}`, {
      headers: {
        "content-type": "application/json; charset=utf-8",
        "cache-control": "no-store",
        ...staleness(client),
        ...warningHeader([...wish.warnings, ...served.warnings]),
        ...(served.withheld.size > 0 ? { "x-vestibule-withheld": [...served.withheld.keys()].join(", ") } : {}),
      },
    });
  };
}

/** Assignments unless the client wants none counted, exposures where it wants them counted right away. */
function happenedTo(flags: readonly ServedFlag[], headers: Headers): Told[] {
  const tracked = headers.get("x-amp-exp-track");
  const tracksExposures = headers.get("x-amp-exp-exposure-track") === "track";
  const types = [
    ...(tracked === "no-track" || tracked === "read-only" ? [] : (["assignment"] as const)),
    ...(tracksExposures && tracked !== "read-only" ? (["exposure"] as const) : []),
  ];
  return flags.flatMap(({ assignment }) => (assignment === null ? [] : types.map((type) => ({ type, assignment }))));
}
