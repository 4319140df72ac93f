/** An identity provider that the provider under test sends its visitors to, and how that one gets its answer: by a cross-site POST. */
import * as client from "openid-client";
import { listen } from "../../../scripts/demo/listen.ts";
import { startProvider } from "../../../scripts/demo/provider.ts";
import { createForwarder, fetchSite, hosts, startSite } from "./sites.ts";

export const upstreamClientId = "atlas-id";

export interface Upstream {
  /** Its public address. */
  url: string;
  /** Where it listens without https, for back-channel requests of libraries that trust no certificate of ours. */
  backUrl: string;
  close(): Promise<void>;
}

export async function startUpstream(redirectUri: string): Promise<Upstream> {
  const held = await listen(0, () => {});
  const site = await startSite(hosts.upstream, createForwarder(`http://127.0.0.1:${held.port}`));
  await held.close();
  const provider = await startProvider({
    port: held.port,
    issuer: site.url,
    clients: [{ client_id: upstreamClientId, redirect_uris: [redirectUri] }],
  });
  return {
    url: site.url,
    backUrl: provider.url,
    async close() {
      await site.close();
      await provider.close();
    },
  };
}

export interface UpstreamClient {
  /** The address to send the visitor to; `state` comes back in the answer. */
  start(state: string): Promise<URL>;
  /** The email address of whoever logged in there. @param callback the POST with the answer */
  finish(callback: Request): Promise<{ state: string; email: string }>;
}

export function createUpstreamClient({ url }: Upstream, redirectUri: string): UpstreamClient {
  const verifiers = new Map<string, string>();
  let discovered: Promise<client.Configuration> | undefined;
  function discover(): Promise<client.Configuration> {
    discovered ??= client.discovery(new URL(url), upstreamClientId, undefined, client.None(), {
      [client.customFetch]: fetchSite as client.CustomFetch,
    });
    return discovered;
  }
  return {
    async start(state) {
      const verifier = client.randomPKCECodeVerifier();
      verifiers.set(state, verifier);
      return client.buildAuthorizationUrl(await discover(), {
        redirect_uri: redirectUri,
        response_mode: "form_post",
        scope: "openid email",
        state,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      });
    },
    async finish(callback) {
      const form = await callback.clone().formData();
      const state = String(form.get("state"));
      const configuration = await discover();
      const answer = new Request(redirectUri, callback);
      const tokens = await client.authorizationCodeGrant(configuration, answer, {
        pkceCodeVerifier: verifiers.get(state) ?? "",
        expectedState: state,
        idTokenExpected: true,
      });
      const { email } = await client.fetchUserInfo(configuration, tokens.access_token, tokens.claims()?.sub ?? "");
      return { state, email: String(email) };
    },
  };
}
