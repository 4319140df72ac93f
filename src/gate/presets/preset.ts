/** What the gate knows of an identity provider: which address is which step of which flow, and how a step ends. */
import type { FlowName } from "../../model/flow.ts";
import type { OutcomeRule } from "../../model/provider.ts";

/** An address at which a login begins: an authorization endpoint, or a SAML single sign-on address. */
export interface LoginStart {
  /** A path pattern, as `pathPattern` in model/provider.ts describes. */
  path: string;
  /** GET unless given. POST stands for the POST binding of OpenID Connect or SAML. */
  methods?: readonly ("GET" | "POST")[];
}

/** A page that people see, or the address that its form is sent to. */
export interface PageRule {
  path: string;
  /** `name=value`, decoded and case-sensitive: this pair must be in the query. Keycloak tells pages apart by it. */
  query?: string;
  flow: FlowName;
  /** What the page is for, in the provider's own word where it has one. `signup` marks sign-up pages and forms. */
  step: string;
}

export interface Preset {
  /**
   * Addresses that never begin a login, are no page of it, and whose responses are no outcomes: logout, session frames,
   * the device grant. Checked before all other rules of the preset; a tenant's own rules come before them.
   */
  ignored?: readonly string[];
  /** Of the `authentication` flow and step `start`, unless a rule in `pages` matches the address too. */
  starts: readonly LoginStart[];
  /**
   * Whether a request to any other path starts a login too when its query looks like an authorization request (OpenID
   * Connect Core 3.1.2.1, RFC 9126, RFC 9101) or holds `SAMLRequest` (SAML Bindings 3.4).
   */
  startsByQuery: boolean;
  /** The first rule that matches decides. */
  pages: readonly PageRule[];
  /** The flow of documents that no rule names, step `page`; null where those are none of the login's pages. */
  otherPages: FlowName | null;
  /**
   * How a login ends, or an attempt fails, besides what every provider has: the redirect to the application with `code=`
   * or `error=`. The first rule that matches decides. A `failure` never applies to the request that begins the session, whose
   * form is the first one, and leaves the session open unless the response also leaves for the application.
   */
  outcomes: readonly OutcomeRule[];
}
