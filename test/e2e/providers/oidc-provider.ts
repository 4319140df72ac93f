/** `oidc-provider` with Auth0's addresses, login by password or by the upstream provider, sign-up, and clients in browsers. */
import { randomBytes } from "node:crypto";
import { Hono } from "hono";
import { exportJWK, generateKeyPair } from "jose";
import { type Accounts, createAccounts } from "../../../scripts/demo/accounts.ts";
import { headersOf, listen, type NodeBindings, toNodeHandler } from "../../../scripts/demo/listen.ts";
import { createMemoryAdapter } from "../../../scripts/demo/memory-adapter.ts";
import { interactionPolicy, Provider } from "../../../scripts/demo/oidc.ts";
import { readStamp } from "../../../scripts/demo/stamp.ts";
import { htmlResponse, renderDocument, renderLogin } from "./login-pages.ts";
import { createHopLog, type ProviderUnderTest } from "./provider-hops.ts";
import type { UpstreamClient } from "./upstream.ts";

interface OidcProviderOptions {
  port: number;
  issuer: string;
  stampKey: string;
  clients: { client_id: string; redirect_uris: string[] }[];
  upstream: UpstreamClient;
}

export const upstreamCallbackPath = "/upstream/callback";

export async function startOidcProvider(options: OidcProviderOptions): Promise<ProviderUnderTest> {
  const accounts = createAccounts();
  const provider = new Provider(options.issuer, await configure(options, accounts, () => provider));
  provider.proxy = true;
  const protocol = provider.callback();
  const pages = createPages(provider, accounts, options);
  const handlePage = toNodeHandler((request, bindings) => pages.fetch(request, bindings));
  const hops = createHopLog(options.stampKey, options.issuer);
  const { close } = await listen(options.port, async (incoming, outgoing) => {
    const path = await hops.add(incoming.method ?? "GET", incoming.url ?? "/", headersOf(incoming));
    return /^\/(interaction|upstream)\//.test(path) ? handlePage(incoming, outgoing) : protocol(incoming, outgoing);
  });
  return { takeHops: hops.take, close };
}

async function configure(
  { clients }: OidcProviderOptions,
  accounts: Accounts,
  getProvider: () => InstanceType<typeof Provider>,
): Promise<ConstructorParameters<typeof Provider>[1]> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const policy = interactionPolicy.base();
  policy.add(new interactionPolicy.Prompt({ name: "create", requestable: true }), 0);
  const hour = 3600;
  return {
    adapter: createMemoryAdapter(),
    clients: clients.map((client) => ({
      ...client,
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code"],
      response_types: ["code"],
    })),
    routes: { authorization: "/authorize", token: "/oauth/token", userinfo: "/userinfo" },
    clientAuthMethods: ["none"],
    pkce: { required: () => true },
    scopes: ["openid", "profile", "email"],
    claims: { openid: ["sub"], email: ["email"], profile: ["name"] },
    conformIdTokenClaims: false,
    discovery: { prompt_values_supported: ["none", "login", "create"] },
    jwks: { keys: [{ ...(await exportJWK(privateKey)), use: "sig", alg: "RS256" }] },
    // The session is there for a cross-site authorize request by POST; the interaction keeps to links and redirects.
    enableHttpPostMethods: true,
    cookies: {
      keys: [randomBytes(32).toString("base64url")],
      long: { httpOnly: true, sameSite: "none", secure: true },
    },
    ttl: { AccessToken: hour, AuthorizationCode: 60, Grant: hour, IdToken: hour, Interaction: hour, Session: hour },
    features: { devInteractions: { enabled: false }, dPoP: { enabled: false } },
    interactions: { policy, url: async (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    clientBasedCORS: () => true,
    async renderError(context, { error, error_description: description }) {
      context.type = "html";
      context.body = await renderDocument("Error", `${error} ${description}`);
    },
    async findAccount(_context, id) {
      const email = accounts.find(id)?.email;
      return email === undefined ? undefined : { accountId: id, claims: () => ({ sub: id, email, name: email }) };
    },
    async loadExistingGrant({ oidc }) {
      const [clientId, accountId] = [oidc.client?.clientId, oidc.session?.accountId];
      if (clientId === undefined || accountId === undefined) return undefined;
      const provider = getProvider();
      const grant = new provider.Grant({ clientId, accountId });
      grant.addOIDCScope([...oidc.requestParamOIDCScopes].join(" "));
      await grant.save();
      return grant;
    },
  };
}

function createPages(
  provider: InstanceType<typeof Provider>,
  accounts: Accounts,
  { stampKey, upstream }: OidcProviderOptions,
): Hono<{ Bindings: NodeBindings }> {
  const app = new Hono<{ Bindings: NodeBindings }>();
  /** Who logged in at the upstream provider, by the interaction that sent them there. */
  const arrived = new Map<string, string>();

  async function finish({ incoming, outgoing }: NodeBindings, accountId: string): Promise<Response> {
    const result = { login: { accountId }, create: {} };
    const location = await provider.interactionResult(incoming, outgoing, result);
    return new Response(null, { status: 303, headers: { location } });
  }

  async function showLogin(request: Request, uid: string, error?: string): Promise<Response> {
    const path = `/interaction/${uid}`;
    const page = await renderLogin({
      action: path,
      stamp: await readStamp(request.headers, stampKey),
      links: { "Continue with Upstream": `${path}/upstream`, "Sign up": `${path}/signup` },
      ...(error === undefined ? {} : { error }),
    });
    return htmlResponse(page, error === undefined ? 200 : 400);
  }

  app.get("/interaction/:uid", (c) => showLogin(c.req.raw, c.req.param("uid")));
  app.post("/interaction/:uid", async (c) => {
    const { email, password } = await c.req.parseBody();
    const account = accounts.signIn(String(email), String(password));
    return account === undefined
      ? showLogin(c.req.raw, c.req.param("uid"), "Wrong email or password.")
      : finish(c.env, account.id);
  });
  app.get("/interaction/:uid/signup", async (c) => {
    const action = `/interaction/${c.req.param("uid")}/signup`;
    const stamp = await readStamp(c.req.raw.headers, stampKey);
    return htmlResponse(await renderLogin({ action, stamp, button: "Sign up" }));
  });
  app.post("/interaction/:uid/signup", async (c) => {
    const { email, password } = await c.req.parseBody();
    const account = accounts.signUp(String(email), String(password));
    return account === undefined ? c.text("This address has an account.", 400) : finish(c.env, account.id);
  });
  app.get("/interaction/:uid/upstream", async (c) => {
    const uid = c.req.param("uid");
    const email = arrived.get(uid);
    if (email === undefined) return c.redirect((await upstream.start(uid)).href, 303);
    const account = accounts.signIn(email, "vestibule");
    return account === undefined ? c.text("This address has a password.", 400) : finish(c.env, account.id);
  });
  // The interaction's cookie is `SameSite=Lax`, so that this POST comes without it; the GET that follows brings it.
  app.post(upstreamCallbackPath, async (c) => {
    const { state, email } = await upstream.finish(c.req.raw);
    arrived.set(state, email);
    return c.redirect(`/interaction/${state}/upstream`, 303);
  });
  return app;
}
