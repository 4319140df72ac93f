/** `samlify` as a SAML identity provider: requests by redirect and by POST, the response by POST. */
import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import * as saml from "samlify";
import { createAccounts } from "../../../scripts/demo/accounts.ts";
import { listen, toNodeHandler } from "../../../scripts/demo/listen.ts";
import { readStamp } from "../../../scripts/demo/stamp.ts";
import { htmlResponse, renderAutoForm, renderLogin } from "./login-pages.ts";
import { createHopLog, type ProviderUnderTest } from "./provider-hops.ts";
import { certificate } from "./sites.ts";
import type { UpstreamClient } from "./upstream.ts";

/** Its requests are checked for what these tests need: who sent them, and their ids. */
saml.setSchemaValidator({ validate: async () => "skipped" });

export const samlPaths = { sso: "/saml/sso", login: "/saml/login", upstreamCallback: "/saml/upstream/callback" };

interface SamlProviderOptions {
  port: number;
  /** Its public address. */
  url: string;
  stampKey: string;
  application: { entityId: string; callbackUrl: string };
  upstream: UpstreamClient;
}

type LoginRequest = Awaited<ReturnType<ReturnType<typeof saml.IdentityProvider>["parseLoginRequest"]>>;

export async function startSamlProvider(options: SamlProviderOptions): Promise<ProviderUnderTest> {
  const { port, url, stampKey, application, upstream } = options;
  const { binding } = saml.Constants.namespace;
  const identityProvider = saml.IdentityProvider({
    entityID: url,
    privateKey: certificate.key,
    signingCert: certificate.cert,
    nameIDFormat: ["urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"],
    requestSignatureAlgorithm: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    singleSignOnService: [binding.redirect, binding.post].map((one) => ({
      Binding: one,
      Location: `${url}${samlPaths.sso}`,
    })),
    singleLogoutService: [{ Binding: binding.redirect, Location: `${url}/saml/logout` }],
  });
  const serviceProvider = saml.ServiceProvider({
    entityID: application.entityId,
    wantAssertionsSigned: true,
    assertionConsumerService: [{ Binding: binding.post, Location: application.callbackUrl }],
  });
  const accounts = createAccounts();
  const requests = new Map<string, { request: LoginRequest; relayState: string }>();
  const sessions = new Map<string, string>();
  const app = new Hono();

  /** The form that takes the response to the application. */
  async function respond(id: string, email: string): Promise<Response> {
    const found = requests.get(id);
    if (found === undefined) return new Response("This login is over.", { status: 400 });
    const { context } = await identityProvider.createLoginResponse(serviceProvider, { ...found.request }, "post", {
      email,
    });
    const fields = { SAMLResponse: context, RelayState: found.relayState };
    return htmlResponse(await renderAutoForm(application.callbackUrl, fields));
  }

  function beginSession(email: string): string {
    const id = randomUUID();
    sessions.set(id, email);
    return id;
  }

  async function showLogin(headers: Headers, id: string, error?: string): Promise<Response> {
    const page = await renderLogin({
      action: `${samlPaths.login}?id=${id}`,
      stamp: await readStamp(headers, stampKey),
      links: { "Continue with Upstream": `/saml/upstream?id=${id}` },
      ...(error === undefined ? {} : { error }),
    });
    return htmlResponse(page, error === undefined ? 200 : 401);
  }

  app.on(["GET", "POST"], samlPaths.sso, async (c) => {
    const fields = (c.req.method === "POST" ? await c.req.parseBody() : c.req.query()) as Record<string, string>;
    const name = c.req.method === "POST" ? "post" : "redirect";
    const request = await identityProvider.parseLoginRequest(serviceProvider, name, { query: fields, body: fields });
    const id = randomUUID();
    requests.set(id, { request, relayState: fields.RelayState ?? "" });
    const email = sessions.get(getCookie(c, "session") ?? "");
    return email === undefined ? showLogin(c.req.raw.headers, id) : respond(id, email);
  });
  // A request by POST is cross-site, and a session that it should find must be there.
  const sessionCookie = { path: "/", httpOnly: true, secure: true, sameSite: "None" } as const;
  app.post(samlPaths.login, async (c) => {
    const id = c.req.query("id") ?? "";
    const { email, password } = await c.req.parseBody();
    const account = accounts.signIn(String(email), String(password));
    if (account === undefined) return showLogin(c.req.raw.headers, id, "Wrong email or password.");
    setCookie(c, "session", beginSession(account.email), sessionCookie);
    return c.html((await respond(id, account.email)).text());
  });
  app.get("/saml/upstream", async (c) => c.redirect((await upstream.start(c.req.query("id") ?? "")).href, 303));
  // The login ends in the answer to the cross-site POST itself.
  app.post(samlPaths.upstreamCallback, async (c) => {
    const { state, email } = await upstream.finish(c.req.raw);
    setCookie(c, "session", beginSession(email), sessionCookie);
    return c.html((await respond(state, email)).text());
  });

  const hops = createHopLog(stampKey, url);
  const { close } = await listen(
    port,
    toNodeHandler(async (request) => {
      const { pathname } = new URL(request.url);
      await hops.add(request.method, pathname, request.headers);
      return app.fetch(request);
    }),
  );
  return { takeHops: hops.take, close };
}
