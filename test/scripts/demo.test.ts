import { createHash } from "node:crypto";
import { base64url, SignJWT } from "jose";
import * as client from "openid-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVisitor, type Visitor } from "../../scripts/browserless/visitor.ts";
import { demoPassword } from "../../scripts/demo/accounts.ts";
import { findFreePort } from "../../scripts/demo/listen.ts";
import { type RunningProvider, startProvider } from "../../scripts/demo/provider.ts";
import { type RunningRelyingParty, redirectUriOf, startRelyingParty } from "../../scripts/demo/relying-party.ts";

const key = base64url.encode(new Uint8Array(32).fill(7));
const config = { headline: "Welcome back", button_label: "Continue", layout: "split", social_proof: "Trusted by many" };
const experiment = { experiment_id: "exp_1", variation_id: "var_b", control: false, method: "auto", config };
const plainStamp = {
  "x-experiment-id": "exp_1",
  "x-experiment-variation-id": "var_b",
  "x-experiment-control": "false",
  "x-experiment-method": "auto",
  "x-experiment-config": base64url.encode(JSON.stringify(config)),
};

interface Signing {
  secret?: string;
  config?: object;
  expires?: string;
  host?: string;
}

/** The headers of a signed stamp, as the gate sends them. */
async function stampHeaders({ secret = key, config: sent = config, expires = "5m", host }: Signing = {}) {
  const { config: _, ...claims } = experiment;
  const encoded = JSON.stringify(sent);
  const config_sha256 = createHash("sha256").update(encoded).digest("base64url");
  const token = await new SignJWT({
    host: host ?? new URL(issuer).host,
    experiments: [{ ...claims, flag_key: "login_page", epoch: 1, config_sha256 }],
  })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer("vestibule")
    .setAudience("default")
    .setIssuedAt()
    .setExpirationTime(expires)
    .sign(base64url.decode(secret));
  return { ...plainStamp, "x-experiment-config": base64url.encode(encoded), "x-experiment-stamp": token };
}

let issuer: string;
let provider: RunningProvider;
let application: RunningRelyingParty;
let unkeyed: RunningProvider;
let unkeyedIssuer: string;

beforeAll(async () => {
  const [port, applicationPort, unkeyedPort] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const clients = [{ client_id: "demo", redirect_uris: [redirectUriOf(applicationPort)] }];
  issuer = `http://localhost:${port}`;
  unkeyedIssuer = `http://localhost:${unkeyedPort}`;
  provider = await startProvider({ port, issuer, clients, stampKey: key });
  unkeyed = await startProvider({ port: unkeyedPort, issuer: unkeyedIssuer, clients });
  const overrides = [{ label: "Treatment", query: "experiment_id=exp_1&variation_id=var_b" }];
  application = await startRelyingParty({ port: applicationPort, issuer, clientId: "demo", overrides });
});

afterAll(() => Promise.all([provider.close(), unkeyed.close(), application.close()]));

async function startLogin(at: string, parameters: Record<string, string> = {}) {
  const execute = [client.allowInsecureRequests];
  const configuration = await client.discovery(new URL(at), "demo", undefined, client.None(), { execute });
  const checks = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: client.randomState() };
  const url = client.buildAuthorizationUrl(configuration, {
    ...parameters,
    redirect_uri: application.redirectUri,
    scope: "openid email",
    state: checks.expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  return { configuration, checks, url };
}

/** A visitor on the log-in page, every request carrying these headers as if the gate had put them there. */
async function visitLogin(at: string, headers: Record<string, string> = {}): Promise<Visitor> {
  const visitor = createVisitor({ headers });
  await visitor.get((await startLogin(at)).url.href);
  return visitor;
}

describe("the provider, addressed directly", () => {
  it("lets a client library sign a visitor in with code and PKCE", async () => {
    const { configuration, checks, url } = await startLogin(issuer);
    const visitor = createVisitor();
    await visitor.get(url.href);
    expect(visitor.page.status).toBe(200);
    expect(visitor.page.body).toContain('<html lang="en" data-page="signin">');
    const stopAt = application.redirectUri;
    const answer = await visitor.submit({ email: "Someone@example.com", password: demoPassword }, { stopAt });
    const callback = new URL(answer.headers.get("location") ?? "");
    expect(callback.searchParams.get("iss")).toBe(issuer);
    const tokens = await client.authorizationCodeGrant(configuration, callback, checks);
    const subject = tokens.claims()?.sub ?? "";
    expect(await client.fetchUserInfo(configuration, tokens.access_token, subject)).toMatchObject({
      email: "someone@example.com",
    });
  });

  it("refuses an authorize request without PKCE", async () => {
    const { url } = await startLogin(issuer);
    url.searchParams.delete("code_challenge");
    url.searchParams.delete("code_challenge_method");
    const answer = await createVisitor().get(url.href, { stopAt: application.redirectUri });
    expect(answer.headers.get("location")).toContain("error=invalid_request");
  });

  it("names its public address in every endpoint when a proxy tells it", async () => {
    const port = new URL(issuer).port;
    const discovery = await createVisitor().get(`http://127.0.0.1:${port}/.well-known/openid-configuration`, {
      headers: { "x-forwarded-host": "login.example.com", "x-forwarded-proto": "https" },
    });
    expect(JSON.parse(discovery.body)).toMatchObject({
      authorization_endpoint: "https://login.example.com/auth",
      prompt_values_supported: expect.arrayContaining(["create"]),
    });
  });

  it("shows the page again on a wrong password, keeping the address and tying the message to the field", async () => {
    const visitor = await visitLogin(issuer);
    await visitor.submit({ email: "someone@example.com", password: "wrong" });
    expect(visitor.page.status).toBe(400);
    expect(visitor.page.body).toContain('value="someone@example.com"');
    expect(visitor.page.body).toMatch(/aria-describedby="error hint" aria-invalid="true" autofocus/);
    expect(visitor.page.body).toMatch(/id="error" role="alert">Wrong/);
  });

  it("escapes what a visitor typed", async () => {
    const visitor = await visitLogin(issuer);
    await visitor.submit({ email: '"><script>', password: "wrong" });
    expect(visitor.page.body).not.toContain("<script>");
  });

  it("answers a log-in that is over with a page that says so", async () => {
    const visitor = await visitLogin(issuer);
    const { url } = visitor.page;
    visitor.cookies.clear();
    expect(await visitor.get(url)).toMatchObject({
      status: 400,
      body: expect.stringContaining("This sign-in is over"),
    });
  });
});

describe("the relying party", () => {
  it("signs up by prompt=create, signs out, and signs in with the new password only", async () => {
    const visitor = createVisitor();
    await visitor.get(application.url);
    await visitor.click("Create an account");
    expect(visitor.page.url).toMatch(/\/interaction\/[\w-]+\/signup$/);
    await visitor.submit({ email: "new@example.com", password: "short" });
    expect(visitor.page).toMatchObject({ status: 400, body: expect.stringContaining("at least 8") });
    await visitor.submit({ email: "new@example.com", password: "long enough" });
    expect(visitor.page.url).toBe(`${application.url}/`);
    expect(visitor.page.body).toContain("<strong>new@example.com</strong>");

    await visitor.submit({});
    await visitor.submit({ logout: "yes" });
    expect(visitor.page.url).toBe(`${application.url}/`);
    await visitor.click("Sign in");
    await visitor.submit({ email: "new@example.com", password: demoPassword });
    expect(visitor.page.status).toBe(400);
    await visitor.click("Create an account");
    await visitor.submit({ email: "new@example.com", password: "long enough" });
    expect(visitor.page.body).toContain("This address has an account");
    await visitor.click("Sign in");
    await visitor.submit({ email: "new@example.com", password: "long enough" });
    expect(visitor.page.body).toContain('data-page="signed-in"');
  });

  it("hands an override on to the authorize request", async () => {
    const visitor = createVisitor();
    await visitor.get(application.url);
    await visitor.click("Treatment");
    const authorize = new URL(visitor.hops.find(({ url }) => url.startsWith(`${issuer}/auth?`))?.url ?? "");
    expect(authorize.searchParams.get("experiment_id")).toBe("exp_1");
    expect(authorize.searchParams.get("variation_id")).toBe("var_b");
  });

  it("shows the provider's refusal", async () => {
    const visitor = createVisitor();
    await visitor.get(`${application.url}/login?prompt=none`);
    expect(visitor.page.body).toContain("login_required");
  });
});

describe("the stamp", () => {
  it("changes the page when its token verifies", async () => {
    const visitor = await visitLogin(issuer, await stampHeaders());
    expect(visitor.page.body).toContain("<h1>Welcome back</h1>");
    expect(visitor.page.body).toContain('<main class="split">');
    expect(visitor.page.body).toContain("Trusted by many");
    expect(visitor.page.body).toContain("Verified: the token is signed");
  });

  it.each([
    [
      "signed with another key",
      () => stampHeaders({ secret: base64url.encode("another key, as long as it needs to be") }),
    ],
    ["after its time", () => stampHeaders({ expires: "1m ago" })],
    [
      "without a signature",
      async () => {
        const headers = await stampHeaders();
        const [header, claims] = headers["x-experiment-stamp"].split(".");
        return { ...headers, "x-experiment-stamp": `${header}.${claims}.` };
      },
    ],
    ["as plain headers only", async () => plainStamp],
    ["for another host", () => stampHeaders({ host: "login.example.com" })],
    [
      "with another config than the one that was signed",
      async () => ({
        ...(await stampHeaders()),
        "x-experiment-config": base64url.encode(JSON.stringify({ headline: "x" })),
      }),
    ],
    ["without its config", async () => ({ ...(await stampHeaders()), "x-experiment-config": "" })],
  ])("counts for nothing when a key is set and it came %s", async (_, forge) => {
    const visitor = await visitLogin(issuer, await forge());
    expect(visitor.page.body).toContain("<h1>Sign in</h1>");
    expect(visitor.page.body).toContain("it is not valid and counts for nothing");
  });

  it("is believed from the headers where no key is set", async () => {
    const visitor = await visitLogin(unkeyedIssuer, plainStamp);
    expect(visitor.page.body).toContain("<h1>Welcome back</h1>");
    expect(visitor.page.body).toContain("Not verified");
  });

  it("carries several experiments as lists in one order", async () => {
    const lists = Object.entries(plainStamp).map(([name, value]) => [name, `${value}, ${value}`]);
    const headers = {
      ...Object.fromEntries(lists),
      "x-experiment-id": "exp_1,exp_2",
      "x-experiment-segment-id": ",seg_2",
    };
    const visitor = await visitLogin(unkeyedIssuer, headers);
    expect(visitor.page.body).toMatch(/exp_1<.*none<.*exp_2<.*seg_2</s);
  });

  it("leaves the page as it is when it is absent, or the gate failed open", async () => {
    const plain = await visitLogin(issuer);
    expect(plain.page.body).toContain("<h1>Sign in</h1>");
    expect(plain.page.body).toContain("No stamp: this request reached");
    const open = await visitLogin(issuer, { "x-experiment-failed-open": "timeout" });
    expect(open.page.body).toContain("<h1>Sign in</h1>");
    expect(open.page.body).toContain("failed open (timeout)");
  });

  it("leaves the page as it is where the config was too large for the headers", async () => {
    const { "x-experiment-config": _, ...headers } = plainStamp;
    const visitor = await visitLogin(unkeyedIssuer, headers);
    expect(visitor.page.body).toContain("<h1>Sign in</h1>");
    expect(visitor.page.body).toContain("left out: too large for the headers");
  });

  it("prefers a forced variation to an experiment, and that to a rollout, where flags share a parameter", async () => {
    const configOf = (headline: string) => base64url.encode(JSON.stringify({ headline }));
    const visit = async (...methods: string[]) => {
      const lists = Object.entries(plainStamp).map(([name, value]) => [name, methods.map(() => value).join(",")]);
      const visitor = await visitLogin(unkeyedIssuer, {
        ...Object.fromEntries(lists),
        "x-experiment-method": methods.join(","),
        "x-experiment-config": methods.map(configOf).join(","),
      });
      return /<h1>([^<]*)</.exec(visitor.page.body)?.[1];
    };
    expect(await visit("auto", "rollout", "forced")).toBe("forced");
    expect(await visit("rollout", "auto")).toBe("auto");
    expect(await visit("rollout")).toBe("rollout");
  });

  it("falls back where a parameter has the wrong type", async () => {
    const broken = { headline: 7, button_label: "", layout: "diagonal", social_proof: null };
    const visitor = await visitLogin(issuer, await stampHeaders({ config: broken }));
    expect(visitor.page.body).toContain("<h1>Sign in</h1>");
    expect(visitor.page.body).toContain('<main class="narrow">');
  });

  it("is kept, latest first, at /demo/stamps", async () => {
    const visitor = await visitLogin(issuer, await stampHeaders());
    const page = await visitor.get(`${issuer}/demo/stamps`);
    expect(page.body).toContain("<td>exp_1</td><td>var_b</td>");
    const data = await visitor.get(`${issuer}/demo/stamps`, { headers: { accept: "application/json" } });
    const [latest] = JSON.parse(data.body);
    expect(latest).toMatchObject({
      method: "GET",
      path: expect.stringMatching(/^\/interaction\//),
      stamp: { kind: "stamped", verified: true, experiments: [{ ...experiment, flag_key: "login_page", epoch: 1 }] },
    });
  });
});
