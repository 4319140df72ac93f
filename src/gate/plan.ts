/** What shall be done with one request: whom it is from, what they get, what the origin is told. Its answer comes later. */

import { readAttributes } from "../assignment/attributes.ts";
import {
  type Assignment,
  asksCohorts,
  type Decision,
  type DecisionInput,
  decide,
  type Override,
} from "../assignment/decide.ts";
import type { Keyring } from "../assignment/keyring.ts";
import { readOverride } from "../assignment/override.ts";
import { after, isPromise, type Pending, withinBudget } from "../assignment/pending.ts";
import { overrideWarning, type Warning } from "../assignment/warning.ts";
import type { CohortIndex } from "../model/snapshot.ts";
import { longestId } from "../model/user.ts";
import type { CompiledExperiment, CompiledSnapshot } from "../snapshot/compiled.ts";
import type { Classified } from "./classify.ts";
import { type CookieBase, cookieName, cookieValues, setCookie } from "./cookies.ts";
import { type Device, deviceSeconds, mintDevice, readDevice } from "./device.ts";
import type { Screened } from "./screen.ts";
import { isAged, nextSession, readSession, resignMs, type Session, sessionSeconds, signSession } from "./session.ts";
import type { Stamper, StampValues } from "./stamp.ts";
import { extendSticky, noChoices, readSticky, type StickyChoices } from "./sticky.ts";
import { nobody, type User, type UserReader } from "./user.ts";

export interface Plan {
  classified: Classified;
  assignments: readonly Assignment[];
  added: readonly Assignment[];
  stamp: StampValues | null;
  failedOpen: string | null;
  deviceId: string | null;
  /** What the session is from now on; null while there is none. */
  session: Session | null;
  /** Whether the request bore a session cookie, genuine or not. */
  hadSession: boolean;
  /** Whether the request was known to belong to a session. */
  inSession: boolean;
  cookies: readonly string[];
  warnings: readonly Warning[];
}

export interface PlanTools {
  keyring: Keyring;
  stamper: Stamper;
  users: UserReader;
  now: () => number;
  /** Told, once it is known, whether the request bears a genuine session of this device's. */
  onSession(isGenuine: boolean): void;
  /** The tenant's snapshot, by the ladder. */
  snapshot(): Pending<CompiledSnapshot | null>;
  /** Ids of the cohorts that a subject is in, or why nobody can tell; in good time for the rest of the decision. */
  cohorts(
    index: CohortIndex,
    subject: { deviceId: string | null; userId: string | null },
    sinceMs: number,
  ): Pending<readonly string[] | { failure: string }>;
}

/** Why nobody can tell the subject's cohorts, where that is so. */
interface Failures {
  user: User;
  cohorts: string;
}

function withheldWarning(
  withheld: readonly CompiledExperiment[],
  { user, cohorts: failure }: Failures,
): Plan["warnings"] {
  if (withheld.length === 0) return [];
  const reasons = withheld.map(({ id, cohorts }) => {
    const missing = cohorts?.missing ?? [];
    if (missing.length > 0) return `${id}: ${missing.join(", ")} not ready yet`;
    const isUser = user.failure !== undefined && cohorts?.ofUsers;
    return `${id}: ${isUser ? `the user cannot be verified: ${user.failure}` : failure}`;
  });
  const description = `not assigned in this session, for want of its cohorts: ${reasons.join("; ")}`;
  return [{ code: "experiment_cohort_unavailable", description: description.slice(0, 500) }];
}

/** Nothing of ours: forwarded as it is. */
export function plainPlan({
  classified,
  hadSession,
  ended,
}: Pick<Screened, "classified" | "hadSession" | "ended">): Plan {
  return {
    classified,
    assignments: [],
    added: [],
    stamp: null,
    failedOpen: null,
    deviceId: null,
    session: null,
    hadSession,
    inSession: false,
    cookies: ended,
    warnings: [],
  };
}

interface Visitor {
  device: Device | null;
  session: Session | "open" | null;
  sticky: StickyChoices;
  override: Override | "refused" | null;
}

/** All at once where all are there, else one promise for all. */
function gather<A, B, C, D>(a: Pending<A>, b: Pending<B>, c: Pending<C>, d: Pending<D>): Pending<[A, B, C, D]> {
  return isPromise(a) || isPromise(b) || isPromise(c) || isPromise(d) ? Promise.all([a, b, c, d]) : [a, b, c, d];
}

/** @throws (or rejects) when something of ours fails: the caller forwards without a stamp. */
export function makePlan(screened: Screened, tools: PlanTools): Pending<Plan> {
  const { request, url, tenant, classified, scope, cookies, hadSession, isBot } = screened;
  const { keyring, stamper, users, now } = tools;
  const nowMs = now();
  const valuesOf = (base: CookieBase) => cookieValues(cookies, cookieName(base, scope));
  const sessionValues = valuesOf("vst_ses");
  const isDocument = classified.kind === "document";
  const mayAssign = isDocument && !isBot;

  function readVisitor(): Pending<Visitor> {
    const [foreign] = tenant.device_cookie ? cookieValues(cookies, tenant.device_cookie) : [];
    const device: Pending<Device | null> =
      foreign && foreign.length <= longestId
        ? { id: foreign, cookie: null }
        : readDevice(keyring, tenant.id, valuesOf("vst_did"), nowMs);
    const session = readSession(keyring, tenant.id, sessionValues, nowMs);
    const override = isDocument ? readOverride(keyring, tenant, url, nowMs) : null;
    const stickyValues = isDocument ? valuesOf("vst_sticky") : [];
    const sticky =
      stickyValues.length === 0
        ? noChoices
        : after(device, (known) => readSticky(keyring, tenant.id, stickyValues, known?.id ?? null));
    return after(gather(device, session, sticky, override), ([device, session, sticky, override]) => ({
      device,
      // A session belongs to its device: another's pins are worth nothing here.
      session: session && session !== "open" && session.deviceId && session.deviceId !== device?.id ? null : session,
      sticky,
      override,
    }));
  }

  function meetSnapshot(visitor: Visitor): Pending<Plan> {
    tools.onSession(visitor.session !== null);
    // A session whose first page failed open stays unassigned to its end: a page must not flip in mid-log-in.
    if (visitor.session === "open") return { ...plainPlan(screened), inSession: true, failedOpen: "session" };
    if (!isDocument && visitor.session === null) return plainPlan(screened);
    return after(tools.snapshot(), (snapshot) => {
      if (snapshot)
        return assign(snapshot, { ...visitor, session: visitor.session === "open" ? null : visitor.session });
      const { override } = visitor;
      const missing = override !== null && override !== "refused" && override.experimentId;
      return {
        ...plainPlan(screened),
        warnings: missing ? [{ code: "experiment_not_found", description: "nothing is published yet" }] : [],
      };
    });
  }

  type Settled = Visitor & { session: Session | null };

  function assign(snapshot: CompiledSnapshot, visitor: Settled): Pending<Plan> {
    const wantsDevice = mayAssign && classified.mints && snapshot.active.length > 0;
    if (!visitor.device && wantsDevice) {
      const newcomer = {
        // TLS is what tells connections apart; on plain http the platform's stand-in value says nothing.
        tlsClientRandom: scope.secure ? readTlsClientRandom(request) : undefined,
        userAgent: request.headers.get("user-agent") ?? "",
      };
      return mintDevice(keyring, tenant.id, newcomer, nowMs).then((device) =>
        meetUser(snapshot, { ...visitor, device }),
      );
    }
    return meetUser(snapshot, visitor);
  }

  function meetUser(snapshot: CompiledSnapshot, visitor: Settled): Pending<Plan> {
    return after(mayAssign && tenant.user && snapshot.asksUser ? users.read(request, url, tenant) : nobody, (user) =>
      conclude(snapshot, visitor, user),
    );
  }

  function conclude(snapshot: CompiledSnapshot, visitor: Settled, user: User): Pending<Plan> {
    const { device, session, sticky } = visitor;
    const input: DecisionInput = {
      snapshot,
      pins: session?.pins,
      mayAssign,
      begins: isDocument && classified.begins,
      override: visitor.override === "refused" ? null : visitor.override,
      deviceId: device?.id ?? null,
      userId: user.id,
      isUserUnknown: user.failure !== undefined,
      sticky: sticky.choices,
      attributes: () => readAttributes(request, url),
    };
    if (snapshot.cohorts === null || !asksCohorts(input)) {
      return carryOut(decide(input), visitor, { user, cohorts: "no cohort is ready yet" });
    }
    return after(tools.cohorts(snapshot.cohorts, { deviceId: input.deviceId, userId: user.id }, nowMs), (found) =>
      "failure" in found
        ? carryOut(decide(input), visitor, { user, cohorts: found.failure })
        : carryOut(decide({ ...input, cohortIds: found }), visitor, { user, cohorts: "" }),
    );
  }

  function carryOut(decision: Decision, visitor: Settled, failures: Failures): Pending<Plan> {
    const { device, session, sticky } = visitor;
    const codes = visitor.override === "refused" ? ["experiment_override_refused" as const] : decision.warnings;
    // A log-in that begins with nothing to decide is decided too: what is activated meanwhile waits for the next one.
    const pins = decision.pins ?? (mayAssign && classified.begins ? [] : undefined);
    const next = nextSession(session, { pins, added: decision.added }, device?.id ?? null, nowMs);
    const renewed = next !== null && (next !== session || isAged(next, nowMs));
    const plan = (values: StampValues | null, signed: readonly string[]): Plan => ({
      classified,
      assignments: decision.assignments,
      added: decision.added,
      stamp: values,
      failedOpen: null,
      deviceId: device?.id ?? null,
      session: renewed ? { ...next, issuedAtSeconds: Math.floor(nowMs / 1000) } : next,
      hadSession,
      inSession: session !== null,
      cookies: signed,
      warnings: [...codes.map(overrideWarning), ...withheldWarning(decision.withheld, failures)],
    });

    const stamped: Pending<StampValues | null> =
      decision.assignments.length > 0 ? stamper.stamp(tenant.id, decision.assignments, url, nowMs) : null;
    const keepsSticky = sticky.outdated || decision.added.some(({ experiment }) => experiment.sticky);
    if (!isDocument || !(device?.cookie || renewed || keepsSticky)) return after(stamped, (values) => plan(values, []));

    // Signed before the request goes out: a page must not show what the next hop would not remember.
    async function signCookies(): Promise<string[]> {
      const set = (base: CookieBase, value: string, seconds: number) =>
        setCookie(cookieName(base, scope), value, seconds, scope);
      const signed: string[] = [];
      if (device?.cookie) signed.push(set("vst_did", device.cookie, deviceSeconds));
      if (keepsSticky && device) {
        const value = await extendSticky(keyring, tenant.id, sticky, decision.added, device.id);
        if (value) signed.push(set("vst_sticky", value, deviceSeconds));
      }
      const { session } = plan(null, []);
      if (renewed && session) {
        const signing = signSession(keyring, tenant.id, session);
        // Where only the hour slides, the cookie the visitor has will do.
        const isNew = next !== visitor.session;
        const value = await (isNew ? signing : Promise.resolve(withinBudget(signing, resignMs)).catch(() => null));
        if (value !== null) signed.push(set("vst_ses", value, sessionSeconds));
      }
      return signed;
    }
    return Promise.all([stamped, signCookies()]).then(([values, signed]) => plan(values, signed));
  }

  return after(readVisitor(), meetSnapshot);
}

function readTlsClientRandom(request: Request): string | undefined {
  const value = (request.cf as { tlsClientRandom?: unknown } | undefined)?.tlsClientRandom;
  return typeof value === "string" && value !== "" ? value : undefined;
}
