/** A provider's preset and the tenant's own rules, compiled: which addresses are what, and how success and failure show. */
import type { FlowName } from "../model/flow.ts";
import type { OutcomeRule } from "../model/provider.ts";
import type { Tenant } from "../model/tenant.ts";
import { compileConsent } from "./consent.ts";
import { compilePathPattern } from "./path-pattern.ts";
import type { PageRule } from "./presets/preset.ts";
import { presets } from "./presets/presets.ts";

export interface CompiledOutcomeRule extends Omit<OutcomeRule, "path"> {
  isOn?: (path: string) => boolean;
}

export interface Page {
  flow: FlowName;
  isSignup: boolean;
}

export interface Rules {
  /** Whether a request to this address begins a login. @param path as `normalizePath` gives it */
  isStart(method: string, path: string, search: string): boolean;
  /** What the address shows; null where it is no page of a login. */
  pageOf(path: string): Page | null;
  /** Whether the tenant's consent cookie allows assigning; true where none is configured. */
  hasConsent(cookies: string | null): boolean;
  outcomes: readonly CompiledOutcomeRule[];
  /** Whether a rule looks for a form in a page. */
  readsForms: boolean;
}

type PathTest = (path: string) => boolean;

/** OpenID Connect Core section 3.1.2.1, pushed (RFC 9126) and signed (RFC 9101) requests included. */
const authorizeQuery = /[?&]client_id=/i;
const requestQuery = /[?&](?:response_type|request_uri|request)=/i;
/** SAML 2.0 Bindings, section 3.4. */
const samlQuery = /[?&]SAMLRequest=/i;

const signupStep = "signup";
const otherPage = (flow: FlowName): Page => ({ flow, isSignup: false });

export function compileRules(tenant: Tenant): Rules {
  const preset = presets[tenant.provider];
  const starts: { test: PathTest; methods: readonly string[] }[] = [
    ...tenant.authorize_paths.map((path) => ({ test: compilePathPattern(path), methods: ["GET", "POST"] })),
    ...preset.starts.map(({ path, methods = ["GET"] }) => ({ test: compilePathPattern(path), methods })),
  ];
  // A tenant that lists its authorization addresses has no others.
  const startsByQuery = preset.startsByQuery && tenant.authorize_paths.length === 0;
  const own: PageRule[] = [
    ...tenant.pages,
    ...tenant.signup_paths.map((path) => ({ path, flow: "authentication" as const, step: signupStep })),
  ];
  const listed: PageRule[] = tenant.paths.map((path) => ({ path, flow: "authentication", step: "page" }));
  const pages = [...own, ...preset.pages, ...listed].map(({ path, flow, step }): { test: PathTest; page: Page } => ({
    test: compilePathPattern(path),
    page: { flow, isSignup: step === signupStep },
  }));
  // A tenant that lists its pages has no others.
  const rest = preset.otherPages === null || tenant.paths.length > 0 ? null : otherPage(preset.otherPages);
  const outcomes = [...tenant.outcomes, ...preset.outcomes].map(({ path, ...rule }) => ({
    ...rule,
    ...(path === undefined ? {} : { isOn: compilePathPattern(path) }),
  }));
  return {
    isStart: (method, path, search) =>
      starts.some(({ test, methods }) => methods.includes(method) && test(path)) ||
      (startsByQuery && ((authorizeQuery.test(search) && requestQuery.test(search)) || samlQuery.test(search))),
    pageOf: (path) => pages.find(({ test }) => test(path))?.page ?? rest,
    hasConsent: compileConsent(tenant.consent),
    outcomes,
    readsForms: outcomes.some(({ form_field }) => form_field !== undefined),
  };
}
