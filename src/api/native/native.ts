/** The native fetch API: assignments, exposures, outcomes and who a device belongs to, by plain JSON. */
import type { Address } from "../../assignment/address.ts";
import type { Client, Visit } from "../serving/desk.ts";
import type { Serving, Speaker } from "../serving/front.ts";
import { readKey } from "../serving/key.ts";
import { createAssignments } from "./assignments.ts";
import { createExposures } from "./exposures.ts";
import { createIdentify } from "./identify.ts";
import { createOutcomes } from "./outcomes.ts";
import { refuse, refuseClient } from "./refuse.ts";

/** A request of a client that is let in. */
export interface Ask {
  request: Request;
  url: Address;
  client: Client;
  visit: Visit;
}

export type Answer = (ask: Ask) => Promise<Response>;

export function createNative(serving: Serving): Speaker {
  const addresses: ReadonlyMap<string, { methods: readonly string[]; answer: Answer }> = new Map([
    ["/_vestibule/v1/assignments", { methods: ["GET", "HEAD", "POST"], answer: createAssignments(serving) }],
    ["/_vestibule/v1/exposures", { methods: ["POST"], answer: createExposures(serving) }],
    ["/_vestibule/v1/outcomes", { methods: ["POST"], answer: createOutcomes(serving) }],
    ["/_vestibule/v1/identify", { methods: ["POST"], answer: createIdentify(serving) }],
  ]);
  return async (request, url, path, visit) => {
    const address = addresses.get(path);
    if (!address)
      return refuse({ code: "address_not_found", detail: `There are ${[...addresses.keys()].join(", ")}.` });
    if (!address.methods.includes(request.method)) {
      const allow = address.methods.join(", ");
      return refuse({ code: "method_not_allowed", detail: `It takes ${allow}.` }, { headers: { allow } });
    }
    const client = await serving.desk.admit(readKey(request.headers), visit);
    return "refused" in client ? refuseClient(client) : address.answer({ request, url, client, visit });
  };
}
