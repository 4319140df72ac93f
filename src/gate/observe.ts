/** What the origin's response means: cookies to set, a page shown, a login ended. */
import { cookieName, setCookie } from "../assignment/cookies.ts";
import type { Assignment } from "../assignment/decide.ts";
import type { Keyring } from "../assignment/keyring.ts";
import { withTimeout } from "../assignment/pending.ts";
import {
  cookieSeconds,
  isSameSession,
  resignTimeoutMs,
  type Session,
  sessionSeconds,
  signSession,
  unassignedValue,
} from "../assignment/session.ts";
import type { GateDecision } from "./decide-request.ts";
import { isHtml } from "./inject.ts";
import { addressTag } from "./login.ts";
import { isOwnHost, outcomeTypeOf, readOutcome } from "./outcome.ts";
import { parsePath } from "./path-pattern.ts";
import type { Report } from "./report.ts";
import { cannotBeAssigned, isBot, type Visit, valuesOf } from "./visitor.ts";
import { clearedWarning } from "./warnings.ts";

export interface Observed {
  /** The origin's, or one with the same bytes where its body had to be read. */
  response: Response;
  cookies: readonly string[];
  report: Report;
}

export async function observe(
  visit: Visit,
  decision: GateDecision,
  response: Response,
  keyring: Keyring,
): Promise<Observed> {
  const { request, classified, scope, rules, url, tenant } = visit;
  const { session, assignments } = decision;
  const isPassed = classified.kind === "pass";
  const read = isPassed
    ? { outcome: null, response }
    : await readOutcome({
        request,
        url,
        tenant,
        rules,
        classified,
        session,
        beginsSession: decision.beginsSession,
        response,
      });
  const { outcome } = read;
  const { status } = response;
  const isCounted = session?.isForced !== true;
  const isPage =
    classified.isNavigation &&
    !classified.isFrame &&
    request.method !== "HEAD" &&
    status < 500 &&
    outcome?.ends !== true &&
    isHtml(response);
  const exposed = isPage && status >= 200 && status < 300 && isCounted ? exposedOn(visit, decision) : [];
  // A form that this host's own page posted: the page was shown, although its cookie may not have said so.
  const isOwnForm = request.method === "POST" && request.headers.get("sec-fetch-site") === "same-origin";
  const hasPage = isPage || isOwnForm || session?.hasPage === true;
  // A sign-up address that redirects at once, to a user who has a session at the provider, is no sign-up.
  const isSignup = session?.isSignup === true || (classified.isSignup && (hasPage || request.method === "POST"));
  const isSuccess = outcome !== null && outcome.kind !== "failure";
  const report: Report = {
    assigned: decision.added,
    exposed,
    outcome:
      outcome === null || (isSuccess && session?.hasSucceeded === true)
        ? null
        : {
            type: outcomeTypeOf(outcome, { isSignup, hasPage: session === null || hasPage }),
            assignments,
            isCounted,
            failedOpen: decision.failedOpen,
            clientId: session?.login?.clientId ?? null,
            connection: session?.login?.connection ?? null,
          },
    forcedIn: decision.forcedIn,
    pins: session?.pins ?? [],
    warnings: [...decision.warnings, ...(isPassed ? [] : clearedWarning(visit, decision.deviceId, response))],
  };
  const result = (cookies: readonly string[]): Observed => ({ response: read.response, cookies, report });
  const isSession = (cookie: string) => cookie.startsWith(`${cookieName("vst_ses", scope)}=`);
  const others = () => decision.cookies.filter((cookie) => !isSession(cookie));

  if (outcome?.ends) {
    // The login is over, and with it what was pinned for it.
    return result([...others(), ...(decision.hadSession ? [setCookie("vst_ses", "", 0, scope)] : [])]);
  }
  if (session === null) {
    return result(
      marksUnassigned(visit, decision, isPage)
        ? [...others(), setCookie("vst_ses", unassignedValue, sessionSeconds, scope)]
        : decision.cookies,
    );
  }
  const isSignupSent = classified.isSignup && request.method === "POST" && status < 400;
  const next: Session = {
    ...session,
    pins: exposed.length === 0 ? session.pins : withExposed(session.pins, exposed),
    redirect: redirectOf(visit, response) ?? session.redirect,
    // Also while nothing is assigned: the log tells a pass-through by it, and a user may be assigned later in this login.
    hasPage: session.hasPage || hasPage,
    isSignup: session.isSignup || isSignupSent,
    hasSucceeded: isSuccess || (session.hasSucceeded && !isPage),
  };
  if (isSameSession(next, session)) return result(decision.cookies);
  try {
    const value = await withTimeout(signSession(keyring, tenant.id, next), resignTimeoutMs);
    return result([...others(), setCookie("vst_ses", value, cookieSeconds(next), scope)]);
  } catch {
    // The session stays as it was; an exposure may be reported again, which changes no count.
    return result(decision.cookies);
  }
}

/** The experiments that are seen for the first time on this page, which is one of their own flow. */
function exposedOn({ classified }: Visit, { assignments, session, stamp }: GateDecision): Assignment[] {
  if (classified.kind !== "document" || session === null) return [];
  return assignments.filter(
    ({ experiment, method }) =>
      method !== "forced" &&
      (experiment.flow === "all" || experiment.flow === classified.flow) &&
      stamp?.leftOut.includes(experiment.id) !== true &&
      session.pins.some((pin) => pin.experimentId === experiment.id && !pin.exposed),
  );
}

function withExposed(pins: Session["pins"], exposed: readonly Assignment[]): Session["pins"] {
  const ids = new Set(exposed.map(({ experiment }) => experiment.id));
  return pins.map((pin) => (ids.has(pin.experimentId) ? { ...pin, exposed: true as const } : pin));
}

/**
 * Whether this is the first page of a login that could not be assigned: it failed open, it was shown before anybody looked, or
 * it answers a form. Its login stays unassigned to its end, since a page must not change in the middle of a login.
 */
function marksUnassigned(visit: Visit, decision: GateDecision, isPage: boolean): boolean {
  const { classified, rules, cookies } = visit;
  if (decision.failedOpen === null) return isPage && decision.couldAssign && cannotBeAssigned(visit);
  const isFirst = decision.failedOpen !== "session" && (classified.isStart || !decision.inSession);
  if (!isFirst || !rules.hasConsent(cookies) || isBot(visit)) return false;
  // A form with a session cookie may belong to a session that could not be verified, which must not be overwritten.
  const isFirstForm = isPage && cannotBeAssigned(visit) && valuesOf(visit, "vst_ses").length === 0;
  return classified.kind === "document" || isFirstForm;
}

/** Tag of an authorization address on this host that the response redirects to; null where it does not. */
function redirectOf(visit: Visit, { status, headers }: Response): string | null {
  const location = status >= 300 && status < 400 ? headers.get("location") : null;
  const target = location === null ? null : URL.parse(location, visit.url.href);
  if (target === null || !isOwnHost(target, visit)) return null;
  const isStart = visit.rules.isStart("GET", parsePath(target.pathname), target.search);
  return isStart ? addressTag(target.pathname, target.search) : null;
}
