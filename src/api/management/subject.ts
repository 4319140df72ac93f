/** Deletes what is known of one person's device or user, wherever it is known. */
import * as v from "valibot";
import { within } from "../../alarms/deadline.ts";
import { forgetUnits } from "../../ledger/reader.ts";
import { logbookOf } from "../../logs/record.ts";
import { deviceIdSchema } from "../../model/device-id.ts";
import type { Step } from "./step.ts";

const giveUpMs = 10_000;

const userId = v.pipe(
  v.string(),
  v.minLength(1, "must not be empty"),
  v.maxLength(1024, "must have at most 1024 characters"),
);

export const subjectQuerySchema = v.pipe(
  v.strictObject({ device_id: v.exactOptional(deviceIdSchema), user_id: v.exactOptional(userId) }),
  v.check(({ device_id, user_id }) => (device_id ?? user_id) !== undefined, "must hold device_id or user_id"),
);
type SubjectQuery = v.InferOutput<typeof subjectQuerySchema>;

/** Once all of it is gone; where something could not be reached, some may be, and it is to be asked for again. */
export const forgetSubject: Step = {
  unavailable: "ledger_unavailable",
  async run({ tenant, bindings, units, query }) {
    const { device_id, user_id } = query as SubjectQuery;
    const known = await Promise.all([
      ...(device_id === undefined ? [] : [units.unitOf(tenant.id, "device", device_id)]),
      ...(user_id === undefined ? [] : [units.unitOf(tenant.id, "user", user_id)]),
    ]);
    const ofLog = user_id === undefined ? {} : { userId: user_id };
    const [counted, logged] = await Promise.all([
      forgetUnits(bindings, tenant.id, known),
      within(giveUpMs, logbookOf(bindings, tenant.id).forgetSubject(ofLog)),
    ]);
    return { json: { units: counted.units, links: counted.links, log_entries: logged.forgotten } };
  },
};
