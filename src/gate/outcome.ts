/** How a response of the origin shows that a login ended, or that one attempt of it failed. */
import type { Address } from "../assignment/address.ts";
import type { Session } from "../assignment/session.ts";
import type { OutcomeType } from "../model/event.ts";
import { hostMatches, normalizeHost } from "../model/host.ts";
import type { Tenant } from "../model/tenant.ts";
import type { Classified } from "./classify.ts";
import { isHtml } from "./inject.ts";
import { answersLogin, hasLoginState, isRedirectUri } from "./login.ts";
import { peekBody } from "./peek.ts";
import type { CompiledOutcomeRule, Rules } from "./rules.ts";

export interface Outcome {
  kind: "success" | "login" | "signup" | "failure";
  /** The login is over, whichever way: the browser goes back to the application. */
  ends: boolean;
}

/** One request and its response, as far as its outcome depends on them. */
export interface Exchange {
  request: Request;
  url: Address;
  tenant: Pick<Tenant, "hosts" | "origin" | "origin_host">;
  rules: Rules;
  classified: Classified;
  /** The login's; null where the request belongs to none that the gate has seen begin. */
  session: Session | null;
  /** Whether this request began it. */
  beginsSession: boolean;
  response: Response;
}

/** OAuth 2.0 Multiple Response Types, JARM's `response`, and SAML's (Bindings, section 3.4). */
const successParameters = ["code", "id_token", "access_token", "response", "SAMLResponse"];
const authorizationParameters = ["state", "iss", "session_state", "RelayState"];
const samlSuccess = "urn:oasis:names:tc:SAML:2.0:status:Success";

/** What the response says to the application, and whether it goes there. */
interface Destination {
  target: URL;
  parameters: URLSearchParams;
  leaves: boolean;
}

function destinationOf(location: string, exchange: Exchange): Destination | null {
  const target = URL.parse(location, exchange.url.href);
  if (target === null) return null;
  const parameters = new URLSearchParams(target.search);
  for (const [name, value] of new URLSearchParams(target.hash.slice(1))) parameters.append(name, value);
  return { target, parameters, leaves: !isOwnHost(target, exchange) };
}

/** Every address that the provider may believe it has: its own, the gate's, with either scheme. */
export function isOwnHost(target: URL, { url, tenant }: Pick<Exchange, "url" | "tenant">): boolean {
  if (target.protocol !== "http:" && target.protocol !== "https:") return false;
  const named = normalizeHost(target.host);
  if (named === url.host) return true;
  if (tenant.origin !== undefined && named === normalizeHost(new URL(tenant.origin).host)) return true;
  if (tenant.origin_host !== undefined && named === normalizeHost(tenant.origin_host)) return true;
  return tenant.hosts.some((pattern) => !pattern.includes("*") && hostMatches(pattern, named));
}

/** What an authorization response means, be it a redirect or a form; null where it is none. */
function readAuthorizationResponse(
  { target, parameters, leaves }: Destination,
  session: Session | null,
): Outcome | null {
  // A provider's own pages may carry a `code` or an `error` of their own, and the authorization request's query with it
  // (Cognito). A response to an application on the same host bears a state of this login, and no `client_id`.
  const login = session?.login ?? null;
  const state = parameters.get("state");
  const isResponse =
    leaves ||
    (!parameters.has("client_id") &&
      authorizationParameters.some((name) => parameters.has(name)) &&
      (login === null || login.requests.every((request) => request.state === null) || hasLoginState(login, state)));
  if (!isResponse || !answersLogin(login, target.href, state)) return null;
  if (parameters.has("error")) return { kind: "failure", ends: true };
  if (!successParameters.some((name) => parameters.get(name))) return null;
  const saml = parameters.get("SAMLResponse");
  return { kind: saml !== null && !isSamlSuccess(saml) ? "failure" : "success", ends: true };
}

/** A response over the redirect binding is deflated, and taken at its word. */
function isSamlSuccess(encoded: string): boolean {
  try {
    const text = atob(encoded.replace(/\s/g, ""));
    return !text.includes("<") || text.includes(samlSuccess);
  } catch {
    return true;
  }
}

const namedCharacters: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
/** Some templates escape everything but letters and digits: OpenSAML writes an address as `https&#x3a;&#x2f;&#x2f;…`. */
const reference = /&(?:#(\d{1,5})|#x([\da-f]{1,4})|([a-z]{2,4}));/gi;

function unescapeHtml(text: string): string {
  return text.replace(reference, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return namedCharacters[name] ?? whole;
    return String.fromCharCode(decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal));
  });
}

interface Form {
  action: string;
  fields: URLSearchParams;
}

/** The page's forms, as the requests that they would make. */
async function readForms(html: string): Promise<Form[]> {
  const forms: Form[] = [];
  // HTMLRewriter gives attribute values as they are written.
  const read = (element: Element, name: string) => unescapeHtml(element.getAttribute(name) ?? "");
  const rewriter = new HTMLRewriter()
    .on("form", {
      element: (form) => void forms.push({ action: read(form, "action"), fields: new URLSearchParams() }),
    })
    .on("form input[name]", {
      element: (input) => forms.at(-1)?.fields.append(read(input, "name"), read(input, "value")),
    });
  try {
    await rewriter.transform(new Response(html)).text();
  } catch {
    // It gives up on markup that it cannot parse. The forms before that count.
  }
  return forms;
}

/** The text members of a JSON response, a few levels deep. */
function textsIn(value: unknown, depth = 3): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || depth === 0) return [];
  return Object.values(value).flatMap((each) => textsIn(each, depth - 1));
}

function memberOf(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((at, name) => {
    return typeof at === "object" && at !== null && Object.hasOwn(at, name)
      ? (at as Record<string, unknown>)[name]
      : undefined;
  }, value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The parts of a body that rules look at. */
interface BodyParts {
  forms: readonly Form[];
  json: unknown;
}
const noBody: BodyParts = { forms: [], json: undefined };

/**
 * What the response means for the login, with the response to pass on: where its body had to be read, that is another
 * object with the same bytes. @throws never for what the origin sends
 */
export async function readOutcome(exchange: Exchange): Promise<{ outcome: Outcome | null; response: Response }> {
  const { request, classified, session, response, rules, beginsSession } = exchange;
  const { status, headers } = response;
  if (classified.isIgnored) return { outcome: null, response };
  const location = status >= 300 && status < 400 ? headers.get("location") : null;
  const destination = location === null ? null : destinationOf(location, exchange);
  const answer = destination && readAuthorizationResponse(destination, session);
  if (session === null) return { outcome: answer, response };

  const candidates = rules.outcomes.filter(
    (rule) =>
      // The request that begins a login is no attempt to log in: its page may look like a refused form.
      !(beginsSession && rule.outcome === "failure") &&
      (rule.method === undefined || rule.method === request.method) &&
      (rule.request === undefined || (rule.request === "fetch") === !classified.isNavigation) &&
      (rule.status === undefined || rule.status.includes(status)) &&
      (rule.isOn === undefined || rule.isOn(classified.path)) &&
      (rule.location_parameter === undefined || destination?.parameters.has(rule.location_parameter) === true),
  );
  // A page that posts itself to the application, and the JSON with which a page's call is answered.
  const readsForm = classified.isNavigation && session.login?.postsForm === true;
  const readsJson = !classified.isNavigation && request.method !== "GET";
  const wantsForm = readsForm || candidates.some(({ form_field }) => form_field !== undefined);
  const wantsJson = readsJson || candidates.some(({ json }) => json !== undefined);
  const isReadable = location === null && ((wantsForm && isHtml(response)) || (wantsJson && isJson(headers)));
  const peeked = isReadable ? await peekBody(response) : null;
  const passed = peeked?.response ?? response;
  const { forms, json } = peeked === null ? noBody : await bodyParts(peeked.text, headers);

  const rule = candidates.find(
    (each) =>
      (each.json === undefined || hasMember(json, each.json)) &&
      (each.form_field === undefined || forms.some(({ fields }) => fields.has(each.form_field ?? ""))),
  );
  if (rule !== undefined) {
    const [saml] = forms.flatMap(({ fields }) => fields.get("SAMLResponse") ?? []);
    const isRefused = rule.outcome === "success" && saml && !isSamlSuccess(saml);
    const kind = isRefused ? "failure" : rule.outcome;
    // A page that logs in by its own call goes on from there, mostly to the application's redirect.
    const isOver = rule.outcome === "failure" || classified.isFetch ? answer !== null : true;
    return { outcome: { kind, ends: isOver }, response: passed };
  }
  if (answer !== null) return { outcome: answer, response: passed };
  for (const form of readsForm ? forms : []) {
    const posted = destinationOf(form.action, exchange);
    // An application on this host is known by its redirect URI; the provider's own forms may hold a code and a state too.
    const isToApplication = posted !== null && (posted.leaves || isRedirectUri(session.login, posted.target.href));
    const outcome = isToApplication ? readAuthorizationResponse({ ...posted, parameters: form.fields }, session) : null;
    if (outcome !== null) return { outcome, response: passed };
  }
  return { outcome: readJsonResponse(json, exchange), response: passed };
}

const isJson = (headers: Headers) =>
  /^(?:application|text)\/(?:[\w.+-]+\+)?json\b/i.test(headers.get("content-type") ?? "");

async function bodyParts(text: string, headers: Headers): Promise<BodyParts> {
  return isJson(headers) ? { forms: [], json: parseJson(text) } : { forms: await readForms(text), json: undefined };
}

function hasMember(json: unknown, { member, equals }: NonNullable<CompiledOutcomeRule["json"]>): boolean {
  const value = memberOf(json, member);
  return equals === undefined
    ? value !== undefined && value !== null && value !== false && value !== ""
    : value === equals;
}

/** A page that logs in by its own call is told where to go: to the application, with the login's own state. */
function readJsonResponse(json: unknown, exchange: Exchange): Outcome | null {
  const { session } = exchange;
  for (const text of json === undefined ? [] : textsIn(json)) {
    const destination =
      /^[a-z][a-z0-9+.-]*:/i.test(text) || text.startsWith("/") ? destinationOf(text, exchange) : null;
    if (destination === null || !hasLoginState(session?.login ?? null, destination.parameters.get("state"))) continue;
    const outcome = readAuthorizationResponse(destination, session);
    if (outcome !== null) return outcome;
  }
  return null;
}

/** The outcome as it is counted. */
export function outcomeTypeOf({ kind }: Outcome, session: Pick<Session, "isSignup" | "hasPage"> | null): OutcomeType {
  const isSignup = kind === "signup" || (kind !== "login" && session?.isSignup === true);
  if (kind === "failure") return isSignup ? "fs" : "f";
  if (isSignup) return "ss";
  return session !== null && !session.hasPage ? "p" : "s";
}
