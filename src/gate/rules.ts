/** A provider's preset and the tenant's own rules, compiled: which addresses are what, and how success and failure show. */
import type { FlowName } from "../model/flow.ts";
import type { OutcomeRule } from "../model/provider.ts";
import type { Tenant } from "../model/tenant.ts";
import { compileConsent } from "./consent.ts";
import { compilePathPattern, type ParsedPath } from "./path-pattern.ts";
import type { PageRule } from "./presets/preset.ts";
import { presets } from "./presets/presets.ts";

type PathTest = (path: ParsedPath) => boolean;

export interface CompiledOutcomeRule extends Omit<OutcomeRule, "path"> {
  isOn?: PathTest;
}

export interface Page {
  flow: FlowName;
  isSignup: boolean;
}

export interface Rules {
  /** Whether the address has no part in any login: logout, the check of a session in a frame. */
  isIgnored(path: ParsedPath): boolean;
  /** Whether a request to this address begins a login. */
  isStart(method: string, path: ParsedPath, search: string): boolean;
  /** What the address shows; null where it is no page of a login. */
  pageOf(path: ParsedPath, search: string, isStart: boolean): Page | null;
  /** Whether the tenant's consent cookie allows assigning; true where none is configured. */
  hasConsent(cookies: string | null): boolean;
  outcomes: readonly CompiledOutcomeRule[];
}

type QueryTest = (search: string) => boolean;

/** OpenID Connect Core section 3.1.2.1, pushed (RFC 9126) and signed (RFC 9101) requests included. */
const authorizeQuery = /[?&]client_id=/i;
const requestQuery = /[?&](?:response_type|request_uri|request)=/i;
/** SAML 2.0 Bindings, section 3.4. */
const samlQuery = /[?&]SAMLRequest=/i;
const beginsByQuery: QueryTest = (search) =>
  (authorizeQuery.test(search) && requestQuery.test(search)) || samlQuery.test(search);

const startPage: Page = { flow: "authentication", isSignup: false };

/** Whether a query holds this `name=value`. */
function compilePair(pair: string): QueryTest {
  const [[name = "", value = ""] = []] = new URLSearchParams(pair);
  return (search) => search.includes(name) && new URLSearchParams(search).getAll(name).includes(value);
}

function compilePages(rules: readonly PageRule[]): (path: ParsedPath, search: string) => Page | undefined {
  const compiled = rules.map(
    ({ path, query, flow, step }): { onPath: PathTest; onQuery: QueryTest | null; page: Page } => ({
      onPath: compilePathPattern(path),
      onQuery: query === undefined ? null : compilePair(query),
      page: { flow, isSignup: step === "signup" },
    }),
  );
  return (path, search) =>
    compiled.find(({ onPath, onQuery }) => onPath(path) && (onQuery === null || onQuery(search)))?.page;
}

function anyOf(patterns: readonly string[]): PathTest {
  const compiled = patterns.map(compilePathPattern);
  return (path) => compiled.some((test) => test(path));
}

/** A tenant's own rules come before the preset's. */
export function compileRules(tenant: Tenant): Rules {
  const preset = presets[tenant.provider];
  const isOwnStart = anyOf(tenant.authorize_paths);
  const startsOf = (wanted: string) =>
    anyOf(
      preset.starts.flatMap(({ path, methods = ["GET"] }) => (methods.some((each) => each === wanted) ? path : [])),
    );
  const starts: Readonly<Record<string, PathTest>> = { GET: startsOf("GET"), POST: startsOf("POST") };
  // A tenant that lists its authorization addresses has no others.
  const startsByQuery = preset.startsByQuery && tenant.authorize_paths.length === 0;
  const isPresetIgnored = anyOf(preset.ignored ?? []);
  const ownPage = compilePages([
    ...tenant.pages,
    ...tenant.signup_paths.map((path) => ({ path, flow: "authentication" as const, step: "signup" })),
  ]);
  const presetPage = compilePages(preset.pages);
  const listedPage = compilePages(
    tenant.paths.map((path) => ({ path, flow: "authentication" as const, step: "page" })),
  );
  // A tenant that lists its pages has no others.
  const isOpen = preset.otherPages !== null && tenant.paths.length === 0;
  const otherPage: Page | null = isOpen && preset.otherPages ? { flow: preset.otherPages, isSignup: false } : null;
  const isIgnored = (path: ParsedPath) => isPresetIgnored(path) && !isOwnStart(path) && ownPage(path, "") === undefined;
  return {
    isIgnored,
    isStart: (method, path, search) =>
      isOwnStart(path) ||
      (((startsByQuery && beginsByQuery(search)) || starts[method]?.(path) === true) && !isIgnored(path)),
    pageOf(path, search, isStart) {
      const page = ownPage(path, search) ?? presetPage(path, search) ?? listedPage(path, search);
      if (isStart) return page ?? startPage;
      return isIgnored(path) ? null : (page ?? otherPage);
    },
    hasConsent: compileConsent(tenant.consent),
    outcomes: [...tenant.outcomes, ...preset.outcomes].map(({ path, ...rule }) => ({
      ...rule,
      ...(path === undefined ? {} : { isOn: compilePathPattern(path) }),
    })),
  };
}
