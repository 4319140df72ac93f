/** The script of an application that logs its visitors in with `@auth0/auth0-spa-js`. */
import { Auth0Client } from "@auth0/auth0-spa-js";

declare const ISSUER: string;
declare const CLIENT_ID: string;

const client = new Auth0Client({
  domain: new URL(ISSUER).host,
  // Without it the library expects Auth0's own spelling, with a trailing slash.
  issuer: ISSUER,
  clientId: CLIENT_ID,
  authorizationParams: { redirect_uri: `${location.origin}/callback`, scope: "openid email" },
});

async function run(): Promise<string> {
  if (location.pathname === "/login") {
    await client.loginWithRedirect({ authorizationParams: Object.fromEntries(new URLSearchParams(location.search)) });
    return "…";
  }
  await client.handleRedirectCallback();
  const user = await client.getUser();
  document.body.append(String(user?.email));
  return "Logged in";
}

const heading = document.querySelector("h1") as HTMLElement;
run().then(
  (text) => {
    heading.textContent = text;
  },
  (error: unknown) => {
    heading.textContent = String(error);
  },
);
