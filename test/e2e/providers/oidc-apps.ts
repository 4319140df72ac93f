/** Applications that log their visitors in by OpenID Connect: one on a server, one in the browser. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import * as client from "openid-client";
import { htmlResponse, renderAutoForm, renderDocument } from "./login-pages.ts";
import { fetchSite, hosts, type Site, startSite } from "./sites.ts";

/**
 * On a server, with `openid-client`: the query of `/login` goes along with the authorize request. `/login-by-post` sends it
 * by POST, which every provider must accept (OpenID Connect Core §3.1.2.1).
 */
export async function startServerApp(issuer: string, clientId: string): Promise<Site> {
  const pending = new Map<string, string>();
  let discovered: Promise<client.Configuration> | undefined;
  const discover = () => {
    discovered ??= client.discovery(new URL(issuer), clientId, undefined, client.None(), {
      [client.customFetch]: fetchSite as client.CustomFetch,
    });
    return discovered;
  };
  const site = await startSite(hosts.app, async (request) => {
    const { pathname, search, searchParams } = new URL(request.url);
    const redirectUri = `${site.url}/callback`;
    if (pathname === "/login" || pathname === "/login-by-post") {
      const [state, verifier] = [client.randomState(), client.randomPKCECodeVerifier()];
      pending.set(state, verifier);
      const url = client.buildAuthorizationUrl(await discover(), {
        ...Object.fromEntries(searchParams),
        redirect_uri: redirectUri,
        scope: "openid email",
        state,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      });
      if (pathname === "/login") return Response.redirect(url.href, 302);
      const form = await renderAutoForm(`${url.origin}${url.pathname}`, Object.fromEntries(url.searchParams));
      return htmlResponse(form);
    }
    if (pathname !== "/callback") return new Response(null, { status: 404 });
    const fields = request.method === "POST" ? await request.clone().formData() : searchParams;
    const state = String(fields.get("state"));
    const answer = request.method === "POST" ? new Request(redirectUri, request) : new URL(`${redirectUri}${search}`);
    const tokens = await client.authorizationCodeGrant(await discover(), answer, {
      pkceCodeVerifier: pending.get(state) ?? "",
      expectedState: state,
      idTokenExpected: true,
    });
    const { email } = await client.fetchUserInfo(await discover(), tokens.access_token, tokens.claims()?.sub ?? "");
    return htmlResponse(await renderDocument("Logged in", `${email} by ${request.method}`));
  });
  return site;
}

/** In the browser, with `@auth0/auth0-spa-js`: `/login` goes to the provider at once, and so does its callback's code. */
export async function startBrowserApp(issuer: string, clientId: string): Promise<Site> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("spa/main.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "iife",
    define: { ISSUER: JSON.stringify(issuer), CLIENT_ID: JSON.stringify(clientId) },
    logLevel: "error",
  });
  const script = outputFiles[0]?.text ?? "";
  const page = `<!doctype html><html lang="en"><head><title>App</title><link rel="icon" href="data:,"></head>
<body><h1>…</h1><script src="/main.js"></script></body></html>`;
  return startSite(hosts.app, async (request) =>
    new URL(request.url).pathname === "/main.js"
      ? new Response(script, { headers: { "content-type": "text/javascript" } })
      : htmlResponse(page),
  );
}
