/** What Amplitude's clients ask, answered as Amplitude does. */
import type { Serving, Speaker } from "../serving/front.ts";
import { createCohort } from "./cohort.ts";
import { createEvents } from "./events.ts";
import { createFlags } from "./flags.ts";
import { refuse } from "./refuse.ts";
import { createVardata } from "./vardata.ts";

/** Clients go over to polling then. */
const noStream: Speaker = async () =>
  refuse({ status: 501, code: "no_stream", message: "Flags are not streamed: poll /sdk/v2/flags." });

export function createAmplitude(serving: Serving): Speaker {
  const vardata = createVardata(serving);
  const flags = createFlags(serving);
  const events = createEvents(serving);
  const cohort = createCohort(serving);
  const speakers: ReadonlyMap<string, Speaker> = new Map([
    ["/sdk/v2/vardata", vardata],
    ["/sdk/vardata", vardata],
    ["/v1/vardata", vardata],
    ["/sdk/v2/flags", flags],
    ["/v1/flags", flags],
    ["/sdk/stream/v1/flags", noStream],
    ["/2/httpapi", events],
    ["/batch", events],
  ]);
  return (request, url, path, visit) => (speakers.get(path) ?? cohort)(request, url, path, visit);
}
