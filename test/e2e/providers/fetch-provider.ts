/** `better-auth` behind a page that logs in, signs up and begins at the upstream provider by `fetch`. */
import { randomBytes } from "node:crypto";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { genericOAuth } from "better-auth/plugins";
import { Hono } from "hono";
import { html, raw } from "hono/html";
import { listen, toNodeHandler } from "../../../scripts/demo/listen.ts";
import { readLoginParameters } from "../../../scripts/demo/login-parameters.ts";
import { readStamp } from "../../../scripts/demo/stamp.ts";
import { htmlResponse, renderDocument } from "./login-pages.ts";
import { createHopLog, type ProviderUnderTest } from "./provider-hops.ts";
import { type Upstream, upstreamClientId } from "./upstream.ts";

export const betterAuthPaths = {
  page: "/sign-in",
  signIn: "/api/auth/sign-in/email",
  signUp: "/api/auth/sign-up/email",
  upstreamCallback: "/api/auth/callback/upstream",
};

interface FetchProviderOptions {
  port: number;
  /** Its public address. */
  url: string;
  stampKey: string;
  /** The application's origin. */
  appUrl: string;
  upstream: Upstream;
}

const script = `
const form = document.querySelector("form");
const call = async (path, body) => {
  const response = await fetch("/api/auth" + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (response.ok) location.assign(answer.url ?? form.dataset.next);
  else document.querySelector("[role=alert]").textContent = answer.message;
};
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { email, password } = Object.fromEntries(new FormData(form));
  if (event.submitter.name === "signup") call("/sign-up/email", { email, password, name: email });
  else if (form.dataset.again) call("/sign-in/email", { email, password });
  else call("/sign-in/email", { email, password, callbackURL: form.dataset.next });
});
document.querySelector("[name=upstream]").addEventListener("click", () => {
  call("/sign-in/social", { provider: "upstream", callbackURL: form.dataset.next });
});`;

function createAuth({ url, appUrl, upstream }: FetchProviderOptions) {
  return betterAuth({
    baseURL: url,
    secret: randomBytes(32).toString("base64url"),
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    emailAndPassword: { enabled: true },
    trustedOrigins: [appUrl],
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [
      genericOAuth({
        config: [
          {
            providerId: "upstream",
            clientId: upstreamClientId,
            tokenEndpointAuth: { method: "none" },
            authorizationUrl: `${upstream.url}/auth`,
            // Its own requests: better-auth trusts no certificate of ours.
            tokenUrl: `${upstream.backUrl}/token`,
            userInfoUrl: `${upstream.backUrl}/me`,
            responseMode: "form_post",
            scopes: ["openid", "email"],
            accountSubject: ({ profile }) => String(profile.sub),
            mapProfileToUser: ({ email }) => ({ name: String(email) }),
          },
        ],
      }),
    ],
  });
}

export async function startFetchProvider(options: FetchProviderOptions): Promise<ProviderUnderTest> {
  const { port, stampKey } = options;
  const auth = createAuth(options);
  const app = new Hono();

  app.get(betterAuthPaths.page, async (c) => {
    const { redirect_uri = "", state = "", again } = c.req.query();
    const next = new URL(redirect_uri);
    next.search = new URLSearchParams({ code: randomBytes(8).toString("hex"), state }).toString();
    if ((await auth.api.getSession({ headers: c.req.raw.headers })) !== null) return c.redirect(next.href);
    // With `again` this page is the one that sends the visitor on, once the fetch has made a session.
    const address = again === undefined ? next.href : c.req.url.slice(new URL(c.req.url).origin.length);
    const { headline } = readLoginParameters(await readStamp(c.req.raw.headers, stampKey));
    const markup = html`<form data-next="${address}" data-again="${again ?? ""}">
<label>Email <input name="email"></label><label>Password <input name="password" type="password"></label>
<button name="login">Log in</button><button name="signup">Sign up</button>
<button name="upstream" type="button">Continue with Upstream</button></form><p role="alert"></p>
<script>${raw(script)}</script>`;
    return htmlResponse(await renderDocument(headline, markup));
  });
  app.all("/api/auth/*", (c) => auth.handler(c.req.raw));

  const hops = createHopLog(stampKey, options.url);
  const { close } = await listen(
    port,
    toNodeHandler(async (request) => {
      await hops.add(request.method, new URL(request.url).pathname, request.headers);
      return app.fetch(request);
    }),
  );
  return { takeHops: hops.take, close };
}
