/** What is done with one request: who sends it, what they get, what the origin is told. */
import { readAttributes } from "../assignment/attributes.ts";
import { cookieBases, setCookie } from "../assignment/cookies.ts";
import { type Decision, decide, needsCohorts, reviewSession } from "../assignment/decide.ts";
import type { DecisionSubject, Pin } from "../assignment/evaluation.ts";
import type { Keyring } from "../assignment/keyring.ts";
import { mentionsOverride } from "../assignment/override.ts";
import { withTimeout } from "../assignment/pending.ts";
import {
  cookieSeconds,
  isAged,
  isSameSession,
  resignTimeoutMs,
  type Session,
  signSession,
} from "../assignment/session.ts";
import { overrideWarning, type Warning } from "../assignment/warning.ts";
import type { CohortIndex } from "../model/snapshot.ts";
import type { CompiledExperiment, CompiledSnapshot } from "../snapshot/compiled.ts";
import { type Device, deviceSeconds, mintDevice } from "./device.ts";
import { startsLogin, withLoginAttributes } from "./login.ts";
import { nextSession, withoutOthersPins } from "./next-session.ts";
import type { Stamp, Stamper } from "./stamp.ts";
import { extendSticky, noChoices, readSticky, type StickyChoices, stickyLookup } from "./sticky.ts";
import { noUser, type User } from "./user.ts";
import { anonymous, cannotBeAssigned, isBot, readVisitor, type Visit, valuesOf } from "./visitor.ts";
import { type Failures, overrideNotApplied, overrideWarnings, stampWarning, withheldWarning } from "./warnings.ts";

export interface GateDecision {
  assignments: Decision["assignments"];
  /** Those that are new in this session and belong in the statistics. */
  added: Decision["added"];
  stamp: Stamp | null;
  failedOpen: string | null;
  deviceId: string | null;
  /** Unit of the user, where one is known. */
  userUnit: string | null;
  /** What the session is from now on; null while there is none. */
  session: Session | null;
  /** Whether the session, or a login in it, begins with this request. */
  beginsSession: boolean;
  /** Whether the request had a session cookie, genuine or not. */
  hadSession: boolean;
  /** Whether the request is known to belong to a session. */
  inSession: boolean;
  /** Whether an experiment could have been assigned on such a page. */
  couldAssign: boolean;
  /** Experiments whose statistics must leave this visitor out, since a variation is forced on them. */
  forcedIn: readonly { experiment: CompiledExperiment; pin: Pin }[];
  cookies: readonly string[];
  warnings: readonly Warning[];
}

/** What a decision may ask for; each call ends within the decision's time. */
export interface DecisionTools {
  keyring: Keyring;
  stamper: Stamper;
  /** Called once it is known that the request belongs to a session. */
  onSession(): void;
  /** The tenant's snapshot; null where nothing is published. */
  snapshot(): CompiledSnapshot | null | Promise<CompiledSnapshot | null>;
  user(): Promise<User>;
  userUnitOf(id: string): string | Promise<string>;
  /** Ids of the cohorts that a subject is in, or why they are unknown. */
  cohorts(
    index: CohortIndex,
    subject: Pick<DecisionSubject, "deviceId" | "userId">,
    sinceMs: number,
  ): readonly string[] | { failure: string } | Promise<readonly string[] | { failure: string }>;
}

/** Nothing of ours: the request is forwarded as it is. */
export function nothing(changes: Partial<GateDecision> = {}): GateDecision {
  return {
    assignments: [],
    added: [],
    stamp: null,
    failedOpen: null,
    deviceId: null,
    userUnit: null,
    session: null,
    beginsSession: false,
    hadSession: false,
    inSession: false,
    couldAssign: false,
    forcedIn: [],
    cookies: [],
    warnings: [],
    ...changes,
  };
}

/** Decisions that a session's pins alone make: every request of a login repeats them. */
const settled = new WeakMap<Session, { snapshot: CompiledSnapshot; flow: string | null; decision: Decision }>();

/** @throws (by rejecting) when something of ours fails: the caller forwards without a stamp. */
export async function decideRequest(visit: Visit, tools: DecisionTools): Promise<GateDecision> {
  const { request, url, tenant, rules, classified, scope, nowMs } = visit;
  const isDocument = classified.kind === "document";
  if (classified.kind === "pass") {
    return nothing({
      warnings: classified.ignoresOverride ? [overrideNotApplied("this request shows no page of a login")] : [],
    });
  }
  const wantsOverride = mentionsOverride(url) && (isDocument || classified.ignoresOverride);
  if (!tenant.entitled)
    return nothing({ warnings: wantsOverride ? [overrideNotApplied("the tenant is not entitled")] : [] });

  const hasConsent = rules.hasConsent(visit.cookies);
  const hadSession = hasConsent && valuesOf(visit, "vst_ses").length > 0;
  const isBrowser = classified.isNavigation || classified.isFetch;
  if (!isDocument && !hadSession && !isBrowser) return nothing();
  const bot = hasConsent && isDocument && isBot(visit);
  const participates = hasConsent && (isDocument || hadSession) && (!bot || hadSession || mentionsOverride(url));
  let visitor = participates ? await readVisitor(visit, tools.keyring) : anonymous;
  const override = visitor.override === "refused" ? null : visitor.override;
  const isUnassigned = visitor.session === "unassigned";
  if (visitor.session !== null) tools.onSession();
  // The first page of the login was not assigned, so none is to its end: a page must not change in the middle of a login.
  const unassigned = (warnings: readonly Warning[]) =>
    nothing({ failedOpen: "session", hadSession, inSession: true, warnings });
  if (isUnassigned && override === null) {
    if (visitor.override === "refused") return unassigned([overrideWarning("experiment_override_refused")]);
    return unassigned(overrideWarnings(visit, visitor, null, { participates, hasConsent }));
  }
  const session = visitor.session === "unassigned" ? null : visitor.session;
  const withdrawn = hasConsent ? [] : cookieBases.filter((base) => valuesOf(visit, base).length > 0);
  const base = {
    hadSession,
    inSession: session !== null,
    cookies: withdrawn.map((name) => setCookie(name, "", 0, scope)),
  };

  const snapshot = await tools.snapshot();
  if (snapshot === null) {
    const warnings: Warning[] = override?.experimentId
      ? [{ code: "experiment_not_found", description: "nothing is published yet" }]
      : [];
    return nothing({ ...base, warnings });
  }
  const { gate } = snapshot;
  // Asked of forms and prerendered pages too, which take no part themselves.
  const couldAssign = hasConsent && gate.active.length > 0 && !(isDocument ? bot : isBot(visit));
  if (session === null && couldAssign && cannotBeAssigned(visit)) {
    // The rest of this login, which is marked when the page is observed, shows no rollout either.
    return nothing({
      ...base,
      couldAssign,
      warnings: overrideWarnings(visit, visitor, null, { participates, hasConsent }),
    });
  }
  const mayAssign = isDocument && classified.isNavigation && participates && !bot;
  // Forms and calls of a page without a session carry the rollouts that the page was served.
  const carriesRollouts = hasConsent && !isDocument && gate.rollouts.length > 0 && !isBot(visit);
  if (!participates && carriesRollouts) visitor = await readVisitor(visit, tools.keyring);
  const isNewLogin = isDocument && classified.isStart && startsLogin(request, url, classified, session);
  const flow = mayAssign ? classified.flow : null;

  const rolloutsNeedUser = gate.rollouts.some(({ needsUser }) => needsUser);
  const wantsUser =
    tenant.user !== undefined &&
    (isDocument
      ? participates && (gate.needsUser || session?.userUnit || rolloutsNeedUser)
      : carriesRollouts && rolloutsNeedUser);
  const user = wantsUser ? await tools.user() : noUser;
  const userUnit = user.id === null || !isDocument ? null : await tools.userUnitOf(user.id);
  const wantsSticky = isDocument ? participates : carriesRollouts && gate.rollouts.some((rollout) => rollout.sticky);
  const stickyValues = wantsSticky ? valuesOf(visit, "vst_sticky") : [];
  const sticky = stickyValues.length === 0 ? noChoices : await readSticky(tools.keyring, tenant.id, stickyValues);
  const own = session && withoutOthersPins(session, snapshot, userUnit, isNewLogin);

  const isSettled = own !== null && override === null && !isNewLogin && !wantsUser && gate.rollouts.length === 0;
  const known = isSettled ? settled.get(own) : undefined;
  let device = visitor.device;
  let decision: Decision;
  let forced: Pin | null = null;
  let failures: Failures = { user, cohorts: "" };
  if (known !== undefined && known.snapshot === snapshot && known.flow === flow) decision = known.decision;
  else {
    const review = reviewSession({
      snapshot,
      pins: own?.pins,
      decided: own?.decided ?? [],
      flow,
      startsLogin: isNewLogin,
      isForced: own?.isForced ?? false,
      override,
    });
    forced = review.forced;
    if (isUnassigned && forced === null) return unassigned(review.warnings.map(overrideWarning));
    const needsDevice =
      review.undecided.some(({ subject }) => subject === "device") ||
      review.rollouts.some((rollout) => rollout.needsDevice);
    if (device === null && mayAssign && needsDevice) device = await mintDevice(tools.keyring, tenant.id, nowMs);
    const subject: DecisionSubject = {
      deviceId: device?.id ?? null,
      userId: user.id,
      isUserUnknown: user.failure !== undefined,
      sticky: stickyLookup(sticky, device?.id ?? null, user.id),
      attributes: () =>
        withLoginAttributes(
          readAttributes(request, url),
          isNewLogin ? null : (own?.login ?? null),
          participates || carriesRollouts,
        ),
    };
    const found =
      snapshot.cohorts !== null && needsCohorts(review, subject)
        ? await tools.cohorts(snapshot.cohorts, subject, nowMs)
        : { failure: "no cohort is ready yet" };
    failures = { user, cohorts: "failure" in found ? found.failure : "" };
    decision = decide(review, "failure" in found ? subject : { ...subject, cohortIds: found });
    if (isSettled && review.undecided.length === 0) settled.set(own, { snapshot, flow, decision });
  }

  const next = isDocument
    ? nextSession(visit, decision, { before: own, device, userUnit, isNewLogin, forced, gate })
    : own;
  // Nothing of a forced visit is counted, and nothing of it is remembered beyond the session.
  const added = next?.isForced ? [] : decision.added;
  const codes = visitor.override === "refused" ? ["experiment_override_refused" as const] : decision.warnings;
  const stamp = await tools.stamper.stamp(tenant, decision, url, nowMs);
  const isChanged = next !== null && (session === null || !isSameSession(next, session));
  const isRenewed = next !== null && isDocument && (isChanged || isAged(next, nowMs));
  const renewed = isRenewed ? { ...next, issuedAtSeconds: Math.floor(nowMs / 1000) } : next;
  const signed = isDocument
    ? await signCookies(visit, tools.keyring, {
        device,
        sticky,
        snapshot,
        decision: { added, rollouts: decision.rollouts },
        userId: user.id,
        session: isRenewed ? renewed : null,
        mustSign: isChanged,
      })
    : [];
  return {
    ...base,
    assignments: decision.assignments,
    added,
    stamp: stamp !== null && stamp.values.stamp === undefined ? null : stamp,
    failedOpen: null,
    deviceId: device?.id ?? null,
    userUnit: userUnit ?? next?.userUnit ?? null,
    session: renewed,
    beginsSession: session === null || isNewLogin,
    couldAssign,
    forcedIn: forced === null ? [] : forcedExperiments(snapshot, forced, own),
    cookies: [...base.cookies, ...signed],
    warnings: [
      ...codes.map(overrideWarning),
      ...overrideWarnings(visit, visitor, own, { participates, hasConsent }),
      ...withheldWarning(decision.withheld, failures),
      ...stampWarning(stamp),
    ],
  };
}

interface Signing {
  device: Device | null;
  /** What was chosen in earlier sessions. */
  sticky: StickyChoices;
  snapshot: CompiledSnapshot;
  decision: Pick<Decision, "added" | "rollouts">;
  userId: string | null;
  /** To be set anew; null where the visitor's own cookie will do. */
  session: Session | null;
  /** Whether the session says something new; otherwise only its hour slides. */
  mustSign: boolean;
}

/** Cookies are signed before the request goes out: a page must not show what the next request would not remember. */
async function signCookies(
  { tenant, scope }: Visit,
  keyring: Keyring,
  { device, sticky, snapshot, decision, userId, session, mustSign }: Signing,
): Promise<string[]> {
  const signed: string[] = [];
  if (device?.cookie) signed.push(setCookie("vst_did", device.cookie, deviceSeconds, scope));
  if (sticky.outdated || decision.added.some(({ experiment }) => experiment.sticky) || decision.rollouts.length > 0) {
    const value = await extendSticky(keyring, snapshot, sticky, decision, device?.id ?? null, userId);
    if (value) signed.push(setCookie("vst_sticky", value, deviceSeconds, scope));
  }
  if (session !== null) {
    const signing = signSession(keyring, tenant.id, session);
    const value = await (mustSign ? signing : withTimeout(signing, resignTimeoutMs).catch(() => null));
    if (value !== null) signed.push(setCookie("vst_ses", value, cookieSeconds(session), scope));
  }
  return signed;
}

/** The forced experiment, those on its flag, and those already pinned in this session. */
function forcedExperiments(
  { experiments, active }: CompiledSnapshot,
  forced: Pin,
  session: Session | null,
): GateDecision["forcedIn"] {
  const flagKey = experiments.get(forced.experimentId)?.flagKey;
  const sharing = active.flatMap(({ id, flagKey: own }) => (own === flagKey ? [{ ...forced, experimentId: id }] : []));
  const pins = new Map([...sharing, ...(session?.pins ?? []), forced].map((pin) => [pin.experimentId, pin]));
  return [...pins.values()].flatMap((pin) => {
    const experiment = experiments.get(pin.experimentId);
    return experiment === undefined ? [] : [{ experiment, pin }];
  });
}
