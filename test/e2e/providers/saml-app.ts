/** An application that logs its visitors in by SAML, with `@node-saml/node-saml`. */
import { type CacheProvider, SAML, ValidateInResponseTo } from "@node-saml/node-saml";
import { htmlResponse, renderDocument } from "./login-pages.ts";
import { certificate, hosts, type Site, startSite } from "./sites.ts";

export const entityId = "https://app.atlas-notes.test/metadata";

/** `/login?binding=redirect` and `/login?binding=post` begin. @param singleSignOnUrl the provider's */
export async function startSamlApp(singleSignOnUrl: string): Promise<Site & { callbackUrl: string }> {
  const site = await startSite(hosts.app, async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/login") {
      return searchParams.get("binding") === "post"
        ? htmlResponse(await clients.post.getAuthorizeFormAsync("relay"))
        : Response.redirect(await clients.redirect.getAuthorizeUrlAsync("relay", undefined, {}), 302);
    }
    if (pathname !== "/acs") return new Response(null, { status: 404 });
    const form = Object.fromEntries(new URLSearchParams(await request.text()));
    const { profile } = await clients.redirect.validatePostResponseAsync(form);
    return htmlResponse(await renderDocument("Logged in", `${profile?.nameID} ${form.RelayState}`));
  });
  const callbackUrl = `${site.url}/acs`;
  const options = {
    callbackUrl,
    entryPoint: singleSignOnUrl,
    issuer: entityId,
    audience: entityId,
    idpCert: certificate.cert,
    wantAssertionsSigned: true,
    wantAuthnResponseSigned: false,
    validateInResponseTo: ValidateInResponseTo.always,
    // One for both: either may be asked about the other's request.
    cacheProvider: createRequestCache(),
  };
  const clients = {
    redirect: new SAML(options),
    // Only the redirect binding is compressed (saml-bindings-2.0 §3.4.4.1, §3.5.4).
    post: new SAML({ ...options, authnRequestBinding: "HTTP-POST", skipRequestCompression: true }),
  };
  return { ...site, callbackUrl };
}

function createRequestCache(): CacheProvider {
  const requests = new Map<string, string>();
  return {
    async saveAsync(key, value) {
      requests.set(key, value);
      return { value, createdAt: Date.now() };
    },
    getAsync: async (key) => requests.get(key) ?? null,
    async removeAsync(key) {
      if (key !== null) requests.delete(key);
      return key;
    },
  };
}
