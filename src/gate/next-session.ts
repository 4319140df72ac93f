/** The session as a request leaves it. */
import type { Decision } from "../assignment/decide.ts";
import type { Pin } from "../assignment/evaluation.ts";
import { isSameSession, type Session } from "../assignment/session.ts";
import type { CompiledSnapshot } from "../snapshot/compiled.ts";
import type { Device } from "./device.ts";
import { beginLogin } from "./login.ts";
import type { Visit } from "./visitor.ts";

/** Without what another user of this browser was assigned. */
export function withoutOthersPins(
  session: Session,
  { experiments }: CompiledSnapshot,
  userUnit: string | null,
  isNewLogin: boolean,
): Session {
  const isSame = session.userUnit === null || session.userUnit === userUnit || (userUnit === null && !isNewLogin);
  if (isSame) return session;
  const pins = session.pins.filter(({ experimentId }) => experiments.get(experimentId)?.subject !== "user");
  const decided = session.decided.filter((part) => !part.endsWith(".user"));
  return { ...session, pins, decided, userUnit: null };
}

interface SessionChange {
  before: Session | null;
  device: Device | null;
  userUnit: string | null;
  isNewLogin: boolean;
  forced: Pin | null;
  gate: CompiledSnapshot["gate"];
}

/** What the session is after this page; the very same object when nothing in it changes. */
export function nextSession(
  { request, url, classified, nowMs }: Visit,
  { pins, decided }: Decision,
  { before, device, userUnit, isNewLogin, forced, gate }: SessionChange,
): Session | null {
  // A login that begins while nothing is active is remembered too: what is activated meanwhile waits for the next one.
  // So is one whose authorization request a rollout asks about.
  const begins = isNewLogin && (gate.hasPendingExperiments || gate.rollouts.some(({ needsLogin }) => needsLogin));
  if (before === null && !begins && pins === undefined) return null;
  const restarts = isNewLogin || (before?.isForced === true && forced === null && !hasForced(pins));
  const kept = isNewLogin ? null : before;
  const next: Session = {
    deviceId: device?.id ?? before?.deviceId ?? "",
    userUnit: userUnit ?? kept?.userUnit ?? null,
    issuedAtSeconds: before?.issuedAtSeconds ?? Math.floor(nowMs / 1000),
    pins: pins ?? [],
    decided,
    login: isNewLogin ? beginLogin(request, url, classified, before?.login ?? null) : (before?.login ?? null),
    redirect: kept?.redirect ?? null,
    hasPage: kept?.hasPage ?? false,
    isSignup: kept?.isSignup ?? false,
    isForced: forced !== null || (!restarts && before?.isForced === true),
    hasSucceeded: kept?.hasSucceeded ?? false,
  };
  return before !== null && isSameSession(next, before) ? before : next;
}

const hasForced = (pins: readonly Pin[] = []) => pins.some(({ method }) => method === "forced");
