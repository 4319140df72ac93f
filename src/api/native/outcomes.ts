/** Outcomes of logins that the gate cannot see: pages that sign in by fetch, magic links opened elsewhere, apps. */
import * as v from "valibot";
import { readDeviceId } from "../../assignment/device-cookie.ts";
import { deviceIdSchema } from "../../model/device-id.ts";
import type { OutcomeType } from "../../model/event.ts";
import { memo } from "../../model/memo.ts";
import type { CompiledExperiment } from "../../snapshot/compiled.ts";
import type { Client } from "../serving/desk.ts";
import type { Serving } from "../serving/front.ts";
import type { ReportedOutcome, Told } from "../serving/report.ts";
import { type BatchContext, createBatchHandler, type FieldError } from "./batch.ts";
import { eventFields, eventIdOf, isEnabledFor, readAssignmentId, readTime } from "./event-fields.ts";
import type { Answer } from "./native.ts";
import { idSchema } from "./read.ts";

const outcomeTypes = { login: "s", signup: "ss", failure: "f" } as const satisfies Record<string, OutcomeType>;

const outcomeSchema = v.strictObject({
  outcome: v.picklist(["login", "signup", "failure"], "must be login, signup or failure"),
  ...eventFields,
  device_id: v.nullish(deviceIdSchema),
  user_id: v.nullish(idSchema),
});
type GivenOutcome = v.InferOutput<typeof outcomeSchema>;

/** A login that began while its experiment was active may end later, by a link in an email, say. */
const completedGraceMs = 24 * 3600_000;

export function createOutcomes(serving: Serving): Answer {
  const { keyring } = serving;
  // Once a request, however many of its items name no subject.
  const deviceInCookie = memo(({ request, url, client }: BatchContext) =>
    readDeviceId(keyring, client.tenant, request.headers.get("cookie"), { secure: url.protocol === "https:" }),
  );
  return createBatchHandler(
    {
      name: "outcomes",
      schema: outcomeSchema,
      invalidCode: "invalid_outcome",
      async readItem(given, context) {
        const { client, nowMs, occasion, isForced } = context;
        const atMs = readTime(given.at, nowMs);
        if (typeof atMs === "object") return atMs;
        const userId = given.user_id ?? null;
        const namesSubject = !!(given.device_id || given.user_id || given.assignment_id);
        const deviceId = given.device_id ?? (namesSubject ? null : await deviceInCookie(context));
        const assigned = given.assignment_id ? await readAssignmentId(given.assignment_id, client, keyring) : null;
        if (assigned !== null && "field" in assigned) return assigned;
        const own = assigned?.assignment.experiment;
        if (!own && deviceId === null && userId === null) {
          return {
            field: "device_id",
            message: "must be given, or else user_id or assignment_id: the request has no valid vst_did cookie",
          };
        }
        const found = experimentsFor(given, { deviceId, userId, own, atMs }, client);
        if ("field" in found) return found;

        const outcome = outcomeTypes[given.outcome];
        const eventOf = ({ id }: CompiledExperiment) => ({
          outcome,
          atMs,
          ...(given.id ? { id: eventIdOf("outcome", client.tenant.id, client.deployment.id, id, given.id) } : {}),
        });
        const told: Told[] = assigned
          ? [{ type: "auth", ...assigned, ...eventOf(assigned.assignment.experiment) }]
          : [];
        const outcomes: ReportedOutcome[] = found.map((experiment) => ({ experiment, ...eventOf(experiment) }));
        if (told.length + outcomes.length === 0) return { ignored: "no_experiment" };
        // Nothing of a forced visit is counted, neither for the experiment that is displaced nor for one on another flag.
        if (isForced || assigned?.assignment.method === "forced") return { ignored: "forced" };
        return {
          telling: { occasion: { ...occasion, source: "native" }, subject: { deviceId, userId }, told, outcomes },
        };
      },
    },
    serving,
  );
}

interface Subject {
  deviceId: string | null;
  userId: string | null;
  /** The experiment of the assignment that the item names. */
  own: CompiledExperiment | undefined;
  atMs: number;
}

/** The experiments that the outcome counts for by its subject's ids, beside the assignment's own. */
function experimentsFor(
  { experiment_id }: GivenOutcome,
  { deviceId, userId, own, atMs }: Subject,
  client: Client,
): readonly CompiledExperiment[] | FieldError {
  const { experiments } = client.snapshot;
  const isNamed = ({ subject }: CompiledExperiment) => (subject === "user" ? userId : deviceId) !== null;
  if (!experiment_id) {
    return [...experiments.values()].filter(
      (each) => each !== own && isNamed(each) && isReportable(each, client) && isUnderWay(each, atMs),
    );
  }
  if (own) {
    if (experiment_id === own.id) return [];
    return { field: "experiment_id", message: `must be ${own.id}, the assignment's experiment, or left out` };
  }
  const experiment = experiments.get(experiment_id);
  if (!experiment || !isReportable(experiment, client)) {
    return {
      field: "experiment_id",
      message: "must be an experiment on a feature flag that is enabled in this key's deployment or at the gate",
    };
  }
  if (!hasStarted(experiment)) {
    return {
      field: "experiment_id",
      message: `must be an experiment that has been active: this one is ${experiment.status}`,
    };
  }
  if (isNamed(experiment)) return [experiment];
  const field = `${experiment.subject}_id`;
  return { field, message: `must be given, as ${experiment.id} assigns ${experiment.subject}s` };
}

const isReportable = (experiment: CompiledExperiment, client: Client): boolean =>
  isEnabledFor(client, experiment) || client.snapshot.gate.isEnabled(experiment.flagKey);

const hasStarted = ({ status }: CompiledExperiment): boolean =>
  status === "active" || status === "paused" || status === "completed";

/** A completed experiment's rates would rise for ever if every later login of its subjects counted. */
const isUnderWay = (experiment: CompiledExperiment, atMs: number): boolean =>
  hasStarted(experiment) && atMs <= (experiment.endedAtMs ?? Number.POSITIVE_INFINITY) + completedGraceMs;
