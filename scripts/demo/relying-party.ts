/** A small application that has its visitors signed in by the provider: the place a demo log-in starts from and returns to. */
import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import * as client from "openid-client";
import { addBetaTesters } from "./beta-testers.ts";
import { listen, type NodeBindings, toNodeHandler } from "./listen.ts";
import { renderFailure, renderSignedIn, renderStart } from "./relying-party-pages.ts";

export interface RelyingPartyOptions {
  port: number;
  /** The provider's public address: the gate's. It is asked for its endpoints at the first log-in, not at the start. */
  issuer: string;
  clientId: string;
  /** Links on the start page that force a variation: `query` is added to the authorize request, without a question mark. */
  overrides?: readonly { label: string; query: string }[];
  /** The file with the list of beta testers; without one there is no such list. */
  betaTesters?: string;
}

export interface RunningRelyingParty {
  url: string;
  /** Always `redirectUriOf(port)`: known before the start, because the provider must know it too. */
  redirectUri: string;
  close(): Promise<void>;
}

/** What a relying party on this port has to be registered with at the provider. */
export const redirectUriOf = (port: number): string => `http://localhost:${port}/callback`;

interface Session {
  /** Log-ins under way, by `state`: several tabs may each have one. */
  pending: Map<string, { verifier: string; nonce: string }>;
  signedIn?: { claims: Record<string, unknown>; idToken: string };
}

type Environment = { Bindings: NodeBindings };

// Cookies know no ports: on localhost the gate's and the provider's lie beside this one.
const cookieName = "atlas_notes";

export async function startRelyingParty(options: RelyingPartyOptions): Promise<RunningRelyingParty> {
  const app = createRelyingParty(options);
  if (options.betaTesters !== undefined) await addBetaTesters(app, options.betaTesters);
  const { port, close } = await listen(
    options.port,
    toNodeHandler((request, bindings) => app.fetch(request, bindings)),
  );
  return { url: `http://localhost:${port}`, redirectUri: redirectUriOf(port), close };
}

function createRelyingParty(options: RelyingPartyOptions): Hono<Environment> {
  const { port, issuer, clientId, overrides = [], betaTesters } = options;
  const app = new Hono<Environment>();
  const redirectUri = redirectUriOf(port);
  const sessions = new Map<string, Session>();
  let discovered: Promise<client.Configuration> | undefined;

  /** A failed discovery is tried again: the gate may only be starting. */
  function discover(): Promise<client.Configuration> {
    discovered ??= client
      .discovery(new URL(issuer), clientId, undefined, client.None(), { execute: [client.allowInsecureRequests] })
      .catch((error: unknown) => {
        discovered = undefined;
        throw error;
      });
    return discovered;
  }

  function sessionOf(c: Context<Environment>): Session {
    const known = sessions.get(getCookie(c, cookieName) ?? "");
    if (known !== undefined) return known;
    const id = randomUUID();
    const session: Session = { pending: new Map() };
    sessions.set(id, session);
    setCookie(c, cookieName, id, { httpOnly: true, sameSite: "Lax", path: "/" });
    return session;
  }

  app.use(async (c, next) => {
    c.header("Cache-Control", "no-store");
    await next();
  });

  app.get("/", async (c) => {
    const { signedIn } = sessions.get(getCookie(c, cookieName) ?? "") ?? {};
    return c.html(
      signedIn === undefined
        ? await renderStart({ issuer, overrides, hasBetaTesters: betaTesters !== undefined })
        : await renderSignedIn(signedIn.claims),
    );
  });

  app.get("/login", async (c) => {
    const configuration = await discover();
    const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
    sessionOf(c).pending.set(state, { verifier, nonce });
    const url = client.buildAuthorizationUrl(configuration, {
      // Whatever the visitor's address carried (prompt, experiment_id, segment_id, override_token …) goes along.
      ...c.req.query(),
      redirect_uri: redirectUri,
      scope: "openid email",
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    });
    return c.redirect(url.href);
  });

  app.get("/callback", async (c) => {
    const session = sessionOf(c);
    const state = c.req.query("state") ?? "";
    const pending = session.pending.get(state);
    if (pending === undefined) return c.html(await renderFailure("No log-in was started with this answer."), 400);
    session.pending.delete(state);
    const configuration = await discover();
    const answer = new URL(redirectUri + new URL(c.req.url).search);
    const tokens = await client.authorizationCodeGrant(configuration, answer, {
      pkceCodeVerifier: pending.verifier,
      expectedState: state,
      expectedNonce: pending.nonce,
      idTokenExpected: true,
    });
    const subject = tokens.claims()?.sub ?? "";
    const claims = await client.fetchUserInfo(configuration, tokens.access_token, subject);
    session.signedIn = { claims: { ...tokens.claims(), ...claims }, idToken: tokens.id_token ?? "" };
    return c.redirect("/", 303);
  });

  app.post("/logout", async (c) => {
    const session = sessionOf(c);
    const idToken = session.signedIn?.idToken;
    delete session.signedIn;
    if (idToken === undefined) return c.redirect("/", 303);
    const url = client.buildEndSessionUrl(await discover(), {
      id_token_hint: idToken,
      post_logout_redirect_uri: new URL("/", redirectUri).href,
    });
    return c.redirect(url.href, 303);
  });

  app.onError(async (error, c) => c.html(await renderFailure(describe(error)), 502));
  return app;
}

/** The provider's own words where it gave any. */
function describe(error: Error): string {
  if (error instanceof client.AuthorizationResponseError || error instanceof client.ResponseBodyError) {
    return [error.error, error.error_description].filter(Boolean).join(": ");
  }
  return error.message;
}
