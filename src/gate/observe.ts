/** What the origin's answer means: cookies to set, a page shown, a log-in ended. */

import type { Keyring } from "../assignment/keyring.ts";
import { type Pending, withinBudget } from "../assignment/pending.ts";
import { cookieName, setCookie } from "./cookies.ts";
import { isHtml } from "./inject.ts";
import { outcomeTypeOf, readOutcome } from "./outcome.ts";
import type { Plan } from "./plan.ts";
import type { Report } from "./report.ts";
import type { Screened } from "./screen.ts";
import { failedOpenValue, resignMs, type Session, sessionSeconds, signSession } from "./session.ts";

export interface Observed {
  cookies: readonly string[];
  report: Report;
}

export interface Exchange extends Screened {
  response: Response;
  plan: Plan;
}

export function observe(exchange: Exchange, keyring: Keyring): Pending<Observed> {
  const { request, url, response, tenant, rules, scope, plan } = exchange;
  const { classified, assignments, session } = plan;
  const sessionCookie = (value: string, seconds: number) =>
    setCookie(cookieName("vst_ses", scope), value, seconds, scope);

  const outcome = classified.kind === "pass" ? null : readOutcome(request, url, response, rules.outcomes);
  const counted = assignments.filter(({ method }) => method !== "forced");
  const { status } = response;
  const isFirst = session !== null && !session.exposed && counted.length > 0;
  const exposed = isFirst && status >= 200 && status < 300 && isHtml(response) ? counted : [];
  const signup = classified.signup && request.method === "POST" && status < 400 && session !== null && !session.signup;
  const report: Report = {
    assigned: plan.added,
    exposed,
    outcome: outcome && {
      type: outcomeTypeOf(outcome, classified.signup || session?.signup === true),
      assignments,
      failedOpen: plan.failedOpen,
    },
    warnings: plan.warnings,
  };

  if (outcome?.ends) {
    // The log-in is over, and with it what was pinned for it.
    const others = plan.cookies.filter((cookie) => !cookie.startsWith(`${cookieName("vst_ses", scope)}=`));
    const ends = plan.hadSession ? [sessionCookie("", 0)] : [];
    return { cookies: [...others, ...ends], report };
  }
  if (plan.failedOpen !== null) {
    // The first page of a log-in, or of a session that is none: it must not flip at the next hop.
    const isNew = plan.failedOpen !== "session" && (classified.begins || !plan.inSession);
    const marks = classified.kind === "document" && isNew;
    return { cookies: marks ? [sessionCookie(failedOpenValue, sessionSeconds)] : plan.cookies, report };
  }
  if (!session || !(exposed.length > 0 || signup)) return { cookies: plan.cookies, report };

  const next: Session = {
    ...session,
    exposed: session.exposed || exposed.length > 0,
    signup: session.signup || signup,
  };
  return Promise.resolve(withinBudget(signSession(keyring, tenant.id, next), resignMs)).then(
    (value) => ({
      cookies: [
        ...plan.cookies.filter((cookie) => !cookie.startsWith(`${cookieName("vst_ses", scope)}=`)),
        sessionCookie(value, sessionSeconds),
      ],
      report,
    }),
    // The session stands as it was; the exposure may be told again, which changes no count.
    () => ({ cookies: plan.cookies, report }),
  );
}
