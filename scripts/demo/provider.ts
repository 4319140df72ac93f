/** The demo's identity provider: `oidc-provider`, certified, with log-in pages of our own and everything in memory. */
import { randomBytes } from "node:crypto";
import { base64url, exportJWK, generateKeyPair } from "jose";
import type { Configuration, Grant, PageContext } from "oidc-provider";
import { type Accounts, createAccounts } from "./accounts.ts";
import { createInteractions } from "./interactions.ts";
import { headersOf, listen, toNodeHandler } from "./listen.ts";
import { createMemoryAdapter } from "./memory-adapter.ts";
import { interactionPolicy, Provider } from "./oidc.ts";
import { createProviderPages } from "./provider-pages.ts";
import { readStamp, type StampReading } from "./stamp.ts";
import { createStampLog } from "./stamp-log.ts";

export interface ProviderOptions {
  /** Where the provider itself listens, on 127.0.0.1. */
  port: number;
  /** The address visitors use, without a trailing slash: the gate's, or the provider's own when nothing stands before it. */
  issuer: string;
  /** Public clients (no secret, PKCE). After log-out a visitor may be sent to the root of any redirect URI's origin. */
  clients: { client_id: string; redirect_uris: string[] }[];
  /** The gate's `STAMP_KEY`; without it the plain headers are believed. */
  stampKey?: string;
}

export interface RunningProvider {
  /** Where it listens: what the gate forwards to. */
  url: string;
  close(): Promise<void>;
}

export async function startProvider({ port, issuer, clients, stampKey }: ProviderOptions): Promise<RunningProvider> {
  // A key that is not base64url fails here, not on the first visitor's page.
  if (stampKey !== undefined) base64url.decode(stampKey);
  const accounts = createAccounts();
  const stamps = createStampLog();
  const stampOf = (headers: Headers) => readStamp(headers, stampKey, new URL(issuer).host);
  const provider: InstanceType<typeof Provider> = new Provider(
    issuer,
    await configure({ clients, stampOf }, accounts, (properties) => new provider.Grant(properties)),
  );
  // The gate names the public address in X-Forwarded-Host and -Proto; addressed directly, the Host header does.
  provider.proxy = true;

  const protocol = provider.callback();
  const pages = createInteractions({ provider, accounts, stamps, stampOf });
  const pageHandler = toNodeHandler((request, bindings) => pages.fetch(request, bindings));

  const { port: listening, close } = await listen(port, async (incoming, outgoing) => {
    const [path = "/"] = (incoming.url ?? "/").split("?", 1);
    if (path.startsWith("/demo/")) return pageHandler(incoming, outgoing);
    stamps.add(incoming.method ?? "GET", path, await stampOf(headersOf(incoming)));
    return path.startsWith("/interaction/") ? pageHandler(incoming, outgoing) : protocol(incoming, outgoing);
  });
  return { url: `http://127.0.0.1:${listening}`, close };
}

const hour = 3600;

async function configure(
  { clients, stampOf }: { clients: ProviderOptions["clients"]; stampOf: (headers: Headers) => Promise<StampReading> },
  accounts: Accounts,
  createGrant: (properties: { clientId: string; accountId: string }) => Grant,
): Promise<Configuration> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const pages = createProviderPages(stampOf);
  const policy = interactionPolicy.base();
  policy.add(new interactionPolicy.Prompt({ name: "create", requestable: true }), 0);

  return {
    adapter: createMemoryAdapter(),
    clients: clients.map(({ client_id, redirect_uris }) => ({
      client_id,
      redirect_uris,
      post_logout_redirect_uris: [...new Set(redirect_uris.map((uri) => new URL("/", uri).href))],
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code"],
      response_types: ["code"],
    })),
    clientAuthMethods: ["none"],
    responseTypes: ["code"],
    pkce: { required: () => true },
    scopes: ["openid"],
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    discovery: { prompt_values_supported: ["none", "login", "consent", "create"] },
    jwks: { keys: [{ ...(await exportJWK(privateKey)), use: "sig", alg: "RS256" }] },
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    ttl: {
      AccessToken: hour,
      AuthorizationCode: 60,
      Grant: 24 * hour,
      IdToken: hour,
      Interaction: hour,
      Session: 24 * hour,
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: pages.renderLogout,
        postLogoutSuccessSource: pages.renderLoggedOut,
      },
    },
    interactions: { policy, url: async (_context: PageContext, { uid }: { uid: string }) => `/interaction/${uid}` },
    clientBasedCORS: () => false,
    renderError: pages.renderError,

    async findAccount(_context, id) {
      const account = accounts.find(id);
      if (account === undefined) return undefined;
      return { accountId: id, claims: () => ({ sub: id, email: account.email, email_verified: false }) };
    },

    /** First-party clients only: whoever signs in has consented, so no page asks. */
    async loadExistingGrant({ oidc }) {
      const clientId = oidc.client?.clientId;
      const accountId = oidc.session?.accountId;
      if (clientId === undefined || accountId === undefined) return undefined;
      const grant = createGrant({ clientId, accountId });
      grant.addOIDCScope([...oidc.requestParamOIDCScopes].join(" "));
      await grant.save();
      return grant;
    },
  };
}
