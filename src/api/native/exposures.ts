/** Exposures, one or many. */
import type { Serving } from "../serving/front.ts";
import { createBatchHandler } from "./batch.ts";
import { exposureSchema, readExposure } from "./exposure.ts";
import type { Answer } from "./native.ts";

export function createExposures(serving: Serving): Answer {
  return createBatchHandler(
    {
      name: "exposures",
      schema: exposureSchema,
      invalidCode: "invalid_exposure",
      async readItem(exposure, { client, nowMs, occasion, isForced }) {
        const claim = await readExposure(exposure, client, serving.keyring, nowMs);
        if ("field" in claim) return claim;
        const { told, deviceId, userId, isOwnEvent } = claim;
        if (isForced || told.assignment.method === "forced") return { ignored: "forced" };
        const source = isOwnEvent ? ("ingest" as const) : ("native" as const);
        return { telling: { occasion: { ...occasion, source }, subject: { deviceId, userId }, told: [told] } };
      },
    },
    serving,
  );
}
