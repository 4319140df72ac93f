/**
 * SAML identity providers: Shibboleth, SimpleSAMLphp, AD FS, PingFederate, authentik, and others at the usual paths.
 *
 * @see https://docs.oasis-open.org/security/saml/v2.0/saml-bindings-2.0-os.pdf
 * @see https://shibboleth.atlassian.net/wiki/spaces/IDP5/pages/3199501831/SAML2SSOConfiguration
 * @see https://simplesamlphp.org/docs/stable/simplesamlphp-idp.html
 * @see https://learn.microsoft.com/en-us/windows-server/identity/ad-fs/ad-fs-overview
 * @see https://docs.goauthentik.io/add-secure-apps/providers/saml/
 */
import type { OutcomeRule } from "../../model/provider.ts";
import type { Preset } from "./preset.ts";

const refused: OutcomeRule = { outcome: "failure", method: "POST", request: "navigation" };
const post = ["POST"] as const;

export const saml: Preset = {
  ignored: [
    "/**/slo/**",
    "/**/*logout*/**",
    "/**/*signout*/**",
    "/**/metadata/**",
    "/**/profile/SAML2/*/SLO",
    "/.well-known/**",
  ],
  // The redirect binding is recognized by its query. A GET of these paths alone may be a later page of the same login.
  starts: [
    { path: "/**/saml*/**/sso", methods: post },
    { path: "/**/sso/saml*", methods: post },
    { path: "/**/profile/SAML2/*/SSO", methods: post },
    { path: "/**/SSOService.php", methods: post },
    { path: "/**/saml/idp/singleSignOnService", methods: post },
    { path: "/adfs/ls", methods: post },
    { path: "/idp/SSO.saml2", methods: post },
    { path: "/idp/startSSO.ping" },
    { path: "/application/saml/*/sso/**", methods: ["GET", "POST"] },
  ],
  startsByQuery: true,
  pages: [
    { path: "/**/signup/**", flow: "authentication", step: "signup" },
    { path: "/**/sign-up/**", flow: "authentication", step: "signup" },
    { path: "/**/register", flow: "authentication", step: "signup" },
  ],
  otherPages: "authentication",
  outcomes: [
    { outcome: "success", status: [200], form_field: "SAMLResponse" },
    // WS-Federation, and the artifact binding (SAML Bindings 3.6)
    { outcome: "success", status: [200], form_field: "wresult" },
    { outcome: "success", status: [302, 303, 307], location_parameter: "SAMLart" },
    { ...refused, status: [400, 401, 403, 422] },
    // The login form again: Shibboleth, SimpleSAMLphp, AD FS.
    { ...refused, path: "/**/profile/SAML2/*/SSO", status: [200], form_field: "j_password" },
    { ...refused, path: "/**/module.php/core/loginuserpass*/**", status: [200], form_field: "password" },
    { ...refused, path: "/adfs/ls/**", status: [200], form_field: "Password" },
  ],
};
