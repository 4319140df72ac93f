import { app, type PresetCase, page } from "./case.ts";

const start = { starts: true, page: "authentication/start" } as const;
const other = { page: "authentication/page" } as const;
const response = { status: 200, form: ["SAMLResponse", "RelayState"], autoPost: true } as const;

export const cases: readonly PresetCase[] = [
  // Redirect and POST binding
  ["GET", "/saml/sso?SAMLRequest=x&RelayState=r", "navigation", page, start],
  ["POST", "/saml/sso", "navigation", page, start],
  ["POST", "/login", "navigation", { ...page, status: 401 }, { ...other, outcome: "failure" }],
  ["GET", "/forgot", "navigation", page, other],
  ["POST", "/login", "navigation", response, { ...other, outcome: "success" }],
  [
    "POST",
    "/login",
    "navigation",
    { status: 302, location: `${app}?SAMLResponse=x&RelayState=r` },
    { ...other, outcome: "success" },
  ],
  [
    "POST",
    "/login",
    "navigation",
    { status: 302, location: `${app}?SAMLart=x&RelayState=r` },
    { ...other, outcome: "success" },
  ],
  // An existing session at the provider: no page, a pass-through
  ["POST", "/saml/sso", "navigation", response, { ...start, outcome: "success" }],
  // Shibboleth
  [
    "GET",
    "/idp/profile/SAML2/Redirect/SSO?SAMLRequest=x",
    "navigation",
    { status: 302, location: "/idp/profile/SAML2/Redirect/SSO?execution=e1s1" },
    start,
  ],
  [
    "POST",
    "/idp/profile/SAML2/POST/SSO",
    "navigation",
    { status: 302, location: "/idp/profile/SAML2/POST/SSO?execution=e1s1" },
    start,
  ],
  ["GET", "/idp/profile/SAML2/Redirect/SSO?execution=e1s1", "navigation", page, other],
  [
    "POST",
    "/idp/profile/SAML2/Redirect/SSO?execution=e1s1",
    "navigation",
    { status: 200, form: ["j_username", "j_password"] },
    { ...start, outcome: "failure" },
  ],
  ["POST", "/idp/profile/SAML2/Redirect/SSO?execution=e1s1", "navigation", response, { ...start, outcome: "success" }],
  // SimpleSAMLphp
  [
    "GET",
    "/simplesaml/saml2/idp/SSOService.php?SAMLRequest=x",
    "navigation",
    { status: 302, location: "/simplesaml/module.php/core/loginuserpass?AuthState=a" },
    start,
  ],
  ["GET", "/simplesaml/module.php/core/loginuserpass?AuthState=a", "navigation", page, other],
  [
    "POST",
    "/simplesaml/module.php/core/loginuserpass?AuthState=a",
    "navigation",
    page,
    { ...other, outcome: "failure" },
  ],
  ["POST", "/simplesaml/module.php/saml/idp/singleSignOnService", "navigation", page, start],
  // AD FS, WS-Federation included
  ["GET", "/adfs/ls/?SAMLRequest=x", "navigation", page, start],
  ["GET", "/adfs/ls/?wa=wsignin1.0&wtrealm=x", "navigation", page, other],
  [
    "POST",
    "/adfs/ls/?SAMLRequest=x&client-request-id=y",
    "navigation",
    { status: 200, form: ["UserName", "Password"] },
    { ...start, outcome: "failure" },
  ],
  [
    "POST",
    "/adfs/ls/?wa=wsignin1.0",
    "navigation",
    { status: 200, form: ["wa", "wresult", "wctx"], autoPost: true },
    { ...start, outcome: "success" },
  ],
  // PingFederate, authentik
  ["GET", "/idp/SSO.saml2?SAMLRequest=x", "navigation", page, start],
  ["GET", "/application/saml/hr/sso/binding/init/", "navigation", { status: 302, location: "/if/flow/login/" }, start],
  // None of the login
  ["GET", "/saml/slo?SAMLRequest=x", "navigation", { status: 302, location: app }, {}],
  ["GET", "/idp/profile/SAML2/Redirect/SLO?SAMLRequest=x", "navigation", { status: 200 }, {}],
  ["GET", "/simplesaml/saml2/idp/SingleLogoutService.php?SAMLRequest=x", "navigation", { status: 200 }, {}],
  ["GET", "/saml/metadata", "navigation", { status: 200 }, {}],
  ["POST", "/idp/profile/SAML2/SOAP/ArtifactResolution", "fetch", { status: 403 }, {}],
  ["POST", "/saml/attribute-query", "fetch", { status: 401 }, {}],
  ["POST", "/api/session/refresh", "fetch", { status: 401 }, {}],
  ["GET", "/x", "navigation", { status: 302, location: "/reset?code=123456" }, other],
  ["GET", "/static/app.js", "fetch", { status: 200 }, {}],
];
