/** What an app shows: of each flag the variation, its parameters, and why. */
import type { Assignment } from "../../assignment/decide.ts";
import type { User } from "../../assignment/evaluation.ts";
import type { Served, ServedFlag } from "../../assignment/serve.ts";
import type { Subject } from "../../assignment/sources.ts";
import { stickyProperty } from "../../model/compile/flag-segments.ts";
import { userOf } from "../../model/user.ts";
import { createNameAssignment } from "../serving/assignment-id.ts";
import { type Client, staleness } from "../serving/desk.ts";
import { etagOf, hasEtag } from "../serving/etag.ts";
import type { Serving } from "../serving/front.ts";
import { overrideIn, warningsOf } from "../serving/override.ts";
import { type Reason, reasonOf } from "../serving/reason.ts";
import { attributesOf, completeUser } from "../serving/user.ts";
import type { Answer } from "./native.ts";
import { type Asked, readAsked } from "./read.ts";
import { refuse } from "./refuse.ts";

/** A flag that is named and not given: nobody can tell now, it serves nobody now, or the key may not fetch it. */
interface Withheld {
  key: string;
  reason: "cohort_unavailable" | "flag_broken" | "flag_inactive" | "flag_not_found";
}

interface Shown {
  key: string;
  /** Null: the subject takes no part, and the app does what it does without. */
  variation: string | null;
  variation_id: string | null;
  parameters: unknown;
  experiment: { id: string; control: boolean; segment_id?: string } | null;
  method: Assignment["method"] | null;
  reason: Reason;
  epoch: number | null;
  assignment_id: string | null;
}

export function createAssignments({ desk, reporter, keyring, units, now }: Serving): Answer {
  const nameAssignment = createNameAssignment({ keyring, units });
  return async ({ request, url, client, visit }) => {
    const asked = await readAsked(request, url);
    if ("code" in asked) return refuse(asked);
    const { tenant, deployment, snapshot } = client;
    const subject: Subject = { deviceId: asked.deviceId, userId: asked.userId };
    const user = completeUser(rememberedUser(asked), request, client);
    const wish = await overrideIn(keyring, tenant, url, now());
    const enabled = new Set(deployment.flagKeys);
    const named = asked.flagKeys ?? deployment.flagKeys;
    const flagKeys = named.filter((key) => enabled.has(key));
    const served = await desk.answer(client, { subject, flagKeys, user, override: wish.override }, visit);
    reporter.warn(tenant, { request, url }, warningsOf(wish, served), visit);

    const name = (assignment: Assignment) => nameAssignment(tenant.id, subject, assignment);
    const answer = JSON.stringify({
      version: snapshot.version,
      assignments: await Promise.all(served.flags.map((flag) => show(flag, client, user, name))),
      withheld: withheldOf(served, named, enabled),
      warnings: [...wish.warnings, ...served.warnings],
    });
    const told = served.flags.flatMap(({ assignment }) =>
      assignment === null ? [] : [{ type: "assignment" as const, assignment }],
    );
    const attributes = attributesOf(user, request, url, client);
    const occasion = {
      tenant: tenant.id,
      atMs: now(),
      source: "native" as const,
      deployment: deployment.id,
      attributes,
    };
    const links = subject.deviceId !== null && subject.userId !== null;
    visit.ctx.waitUntil(reporter.report({ occasion, subject, told, links }, visit.bindings.EVENTS));

    const etag = etagOf([tenant.id, deployment.id, user, named, wish.override], answer);
    const headers = { etag, "cache-control": "private, no-cache", ...staleness(client) };
    if (hasEtag(request, etag)) return new Response(null, { status: 304, headers });
    return new Response(answer, { headers: { "content-type": "application/json; charset=utf-8", ...headers } });
  };
}

function rememberedUser({ sticky, attributes, ...subject }: Asked) {
  const user = userOf(subject, attributes);
  const earlier = Object.entries(sticky).map(([flagKey, variation]) => [stickyProperty(flagKey), variation]);
  return { ...user, user_properties: { ...user.user_properties, ...Object.fromEntries(earlier) } };
}

async function show(
  served: ServedFlag,
  { snapshot }: Client,
  user: User,
  name: (assignment: Assignment) => Promise<string | null>,
): Promise<Shown> {
  const { key, variant, assignment } = served;
  const reason = reasonOf(snapshot.flagByKey.get(key), served, user);
  const isOff = variant.key === "off";
  return {
    key,
    variation: isOff ? null : variant.key,
    variation_id: assignment?.variation.id ?? (variant.metadata?.variationId as string | undefined) ?? null,
    parameters: isOff ? {} : (variant.payload ?? {}),
    experiment: assignment && {
      id: assignment.experiment.id,
      control: assignment.control,
      ...(assignment.segmentId === undefined ? {} : { segment_id: assignment.segmentId }),
    },
    method: assignment?.method ?? (isOff ? null : methodOf(reason)),
    reason,
    epoch: assignment?.epoch ?? null,
    assignment_id: assignment && (await name(assignment)),
  };
}

/** Of what is rolled out without an experiment. */
const methodOf = (reason: Reason) => (reason === "inclusion" || reason === "sticky" ? reason : "auto");

function withheldOf({ flags, withheld }: Served, named: readonly string[], enabled: ReadonlySet<string>): Withheld[] {
  const given = new Set(flags.map(({ key }) => key));
  return [...new Set(named)].flatMap((key) => {
    if (given.has(key)) return [];
    const reason = withheld.get(key) ?? (enabled.has(key) ? "flag_inactive" : "flag_not_found");
    return [{ key, reason }];
  });
}
