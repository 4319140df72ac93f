/** What is answered of log streams beside what the control plane knows of them. */
import { within } from "../../alarms/deadline.ts";
import type { LogStreamDelivery, LogStreamView } from "../../model/log-stream.ts";
import { logStep } from "./log-step.ts";

/** Nobody waits longer to be shown a stream. */
const statusMs = 1_000;

/** The delivery is null where it cannot be told: the rest is answered all the same. */
export const withDelivery = logStep(async ({ logbook, answer }) => {
  const deliveries = await within(statusMs, logbook.deliveries()).catch(() => null);
  const complete = (stream: LogStreamView) => shownWith(deliveries?.[stream.id] ?? null, stream);
  const { log_streams: list, ...rest } = answer as { log_streams?: LogStreamView[] };
  return {
    json: list === undefined ? complete(answer as LogStreamView) : { log_streams: list.map(complete), ...rest },
  };
});

/** What has become of a stream shows where Auth0 shows it, too. */
function shownWith(delivery: LogStreamDelivery | null, stream: LogStreamView) {
  return { ...stream, ...(delivery?.state === "suspended" ? { status: "suspended" } : {}), delivery };
}
