/** A tenant's provider and its own rules, made ready: which paths are what, and how success and failure show. */
import { compilePattern } from "../engine/pattern.ts";
import type { OutcomeRule } from "../model/provider.ts";
import { providers } from "../model/provider.ts";
import type { Tenant } from "../model/tenant.ts";
import { cookieValues } from "./cookies.ts";
import { compilePathPattern } from "./path-pattern.ts";

export interface CompiledOutcomeRule extends Omit<OutcomeRule, "path"> {
  isOn?: (path: string) => boolean;
}

export interface Rules {
  isAuthorize(path: string, search: string): boolean;
  isPage(path: string): boolean;
  isSignup(path: string): boolean;
  /** Whether the tenant's consent cookie allows assigning; true where none is asked for. */
  hasConsent(cookies: string | null): boolean;
  outcomes: readonly CompiledOutcomeRule[];
}

/** No page has a longer path. */
const longestPath = 2_048;

function anyOf(patterns: readonly string[]): (path: string) => boolean {
  const compiled = patterns.map(compilePathPattern);
  return (path) => path.length <= longestPath && compiled.some((pattern) => pattern(path));
}

const maxConsentValueLength = 512;

function compileConsent(consent: Tenant["consent"]): Rules["hasConsent"] {
  if (!consent) return () => true;
  const { maxLength, matches } = compilePattern(consent.pattern);
  const limit = Math.min(maxLength, maxConsentValueLength);
  return (cookies) => cookieValues(cookies, consent.cookie).some((value) => value.length <= limit && matches(value));
}

/** OpenID Connect Core §3.1.2.1, pushed (RFC 9126) and signed requests (RFC 9101) included. */
const authorizeQuery = /[?&]client_id=/;
const requestQuery = /[?&](?:response_type|request_uri|request)=/;

export function compileRules(tenant: Tenant): Rules {
  const provider = providers[tenant.provider] ?? providers.oidc;
  if (!provider) throw new Error("no provider");
  const authorizePaths = [...provider.authorize, ...tenant.authorize_paths];
  const isAuthorizePath = anyOf(authorizePaths);
  const pagePaths = [...provider.pages, ...tenant.paths];
  return {
    isAuthorize: (path, search) =>
      isAuthorizePath(path) ||
      (authorizePaths.length === 0 && authorizeQuery.test(search) && requestQuery.test(search)),
    isPage: pagePaths.length === 0 ? () => true : anyOf([...pagePaths, ...provider.signup, ...tenant.signup_paths]),
    isSignup: anyOf([...provider.signup, ...tenant.signup_paths]),
    hasConsent: compileConsent(tenant.consent),
    outcomes: [...tenant.outcomes, ...provider.outcomes].map(({ path, ...rule }) => ({
      ...rule,
      ...(path === undefined ? {} : { isOn: anyOf([path]) }),
    })),
  };
}
