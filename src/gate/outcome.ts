/** How an answer of the origin shows that a log-in ended, or that one try of it failed. */

import type { Address } from "../assignment/address.ts";
import type { OutcomeType } from "../model/event.ts";
import type { CompiledOutcomeRule } from "./rules.ts";

export interface Outcome {
  succeeded: boolean;
  /** The log-in is over, whichever way: the browser goes back to the application. */
  ends: boolean;
}

/** OAuth 2.0 Multiple Response Types, and JARM's `response`. */
const successParameters = ["code", "id_token", "access_token", "response"];
const authorizationParameters = ["state", "iss", "session_state"];

function locationParameters(location: URL): URLSearchParams {
  const parameters = new URLSearchParams(location.search);
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) parameters.append(name, value);
  return parameters;
}

export function readOutcome(
  request: Request,
  url: Address,
  response: Response,
  rules: readonly CompiledOutcomeRule[],
): Outcome | null {
  const { status } = response;
  const location = status >= 300 && status < 400 ? response.headers.get("location") : null;
  let target: URL | null = null;
  if (location !== null) {
    try {
      target = new URL(location, url.href);
    } catch {
      target = null;
    }
  }
  const parameters = target ? locationParameters(target) : null;
  // A provider's own pages may carry a `code` or an `error` of their own, and the authorize request's query along with
  // it (Cognito); an authorization response leaves, or bears its marks and no `client_id`.
  const leaves =
    target !== null &&
    (target.origin !== url.origin ||
      (parameters?.has("client_id") === false && authorizationParameters.some((name) => parameters.has(name))));
  const refused = leaves && parameters?.has("error") === true;
  for (const rule of rules) {
    const fits =
      (rule.method === undefined || rule.method === request.method) &&
      (rule.isOn === undefined || rule.isOn(url.pathname)) &&
      (rule.status === undefined || rule.status.includes(status)) &&
      (rule.location_parameter === undefined || parameters?.has(rule.location_parameter) === true);
    if (fits) return { succeeded: rule.outcome === "success", ends: rule.outcome === "success" || refused };
  }
  if (refused) return { succeeded: false, ends: true };
  if (leaves && successParameters.some((name) => parameters?.has(name) === true))
    return { succeeded: true, ends: true };
  return null;
}

export function outcomeTypeOf({ succeeded }: Outcome, isSignup: boolean): OutcomeType {
  if (isSignup) return succeeded ? "ss" : "fs";
  return succeeded ? "s" : "f";
}
