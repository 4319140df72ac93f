import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { experiment, flag } from "../../model/resources.ts";
import { clearStores, createStage, publish, type Visit } from "../stage.ts";
import { appCallback, authorize, countedOf, createJourney, eventsOf, page, redirect, warningsOf } from "./journey.ts";

beforeEach(() => clearStores());
afterEach(() => vi.unstubAllGlobals());

const issuer = "https://issuer.example.com/";
const jwksUri = "https://issuer.example.com/jwks";
const tenant = { user: { issuer, jwks_uri: jwksUri, token: "cookie:id_token" } };
const ofUsers = experiment({ assignment_config: { subject: "user" } });

async function createIssuer() {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const keySet = { keys: [{ ...(await exportJWK(publicKey)), alg: "ES256", kid: "1" }] };
  const tokenOf = (sub: string) =>
    new SignJWT({ sub })
      .setProtectedHeader({ alg: "ES256", kid: "1" })
      .setIssuer(issuer)
      .setExpirationTime("5h")
      .sign(privateKey);
  return { keySet, tokenOf };
}

/** The issuer answers by itself; everything else is the login host's. */
function answerKeySet(answer: () => Response | Promise<Response>): { fetches: number } {
  const counter = { fetches: 0 };
  const { fetch } = globalThis;
  vi.stubGlobal("fetch", (input: RequestInfo, init?: RequestInit) => {
    if (!(input instanceof Request ? input.url : String(input)).startsWith(jwksUri)) return fetch(input, init);
    counter.fetches++;
    return answer();
  });
  return counter;
}

const shown = ({ stamp }: Visit) => [stamp("variation-id"), stamp("method")];

describe("a sticky choice", () => {
  async function begin() {
    const { keySet, tokenOf } = await createIssuer();
    const stage = createStage({ tenant });
    answerKeySet(() => Response.json(keySet));
    await publish({ feature_flags: [flag({ rollout: { sticky_bucketing: true } })], experiments: [ofUsers] });
    const alone = async (user: string) => {
      const journey = createJourney(stage);
      journey.cookies.set("id_token", await tokenOf(user));
      return (await journey.go("/login")).stamp("variation-id");
    };
    const found = new Map<string | null, string>();
    for (let index = 0; found.size < 2; index++) found.set(await alone(`user-${index}`), `user-${index}`);
    return { stage, tokenOf, userOf: (id: string) => found.get(id) ?? "" };
  }

  it("is each user's own on one browser, in turns and on other isolates", async () => {
    const { stage, tokenOf, userOf } = await begin();
    const journey = createJourney(stage);
    const seen: unknown[] = [];
    for (const variation of ["var_a", "var_b", "var_a", "var_b"]) {
      journey.cookies.set("id_token", await tokenOf(userOf(variation)));
      seen.push(shown(await journey.go("/login")));
      await journey.post("/login", redirect(appCallback));
      stage.restart();
    }
    expect(seen).toEqual([
      ["var_a", "auto"],
      ["var_b", "auto"],
      ["var_a", "sticky"],
      ["var_b", "sticky"],
    ]);
  });

  it("is each user's own although the first left their login unfinished", async () => {
    const { stage, tokenOf, userOf } = await begin();
    const journey = createJourney(stage);
    journey.cookies.set("id_token", await tokenOf(userOf("var_a")));
    await journey.go("/login");
    journey.cookies.set("id_token", await tokenOf(userOf("var_b")));
    expect(shown(await journey.go("/login"))).toEqual(["var_b", "auto"]);
    const units = eventsOf(stage).flatMap(({ type, unit }) => (type === "assignment" ? unit : []));
    expect(new Set(units.slice(-2)).size).toBe(2);
  });
});

describe("a user who becomes known in the middle of a login", () => {
  it("is assigned at once, exposed and counted", async () => {
    const { keySet, tokenOf } = await createIssuer();
    const stage = createStage({ tenant });
    answerKeySet(() => Response.json(keySet));
    await publish({ experiments: [ofUsers] });
    const journey = createJourney(stage);
    const first = await journey.go(authorize, redirect("/login"));
    await journey.go("/login");
    journey.cookies.set("id_token", await tokenOf("anna"));
    stage.restart();
    const second = await journey.go("/mfa");
    expect([first.stamp("id"), second.stamp("method")]).toEqual([null, "auto"]);
    journey.cookies.delete("id_token");
    expect(shown(await journey.go("/mfa/again"))).toEqual([second.stamp("variation-id"), "session"]);
    await journey.post("/mfa", redirect(appCallback), { crossSite: true });
    expect(countedOf(stage)).toEqual(["assignment", "auth s", "exposure"]);
  });

  it("on a redirect after the password is a login, no pass-through: a page was shown before", async () => {
    const { keySet, tokenOf } = await createIssuer();
    const stage = createStage({ tenant });
    answerKeySet(() => Response.json(keySet));
    await publish({ experiments: [ofUsers] });
    const journey = createJourney(stage);
    await journey.go(authorize, redirect("/login"));
    await journey.go("/login");
    await journey.post("/login", redirect("/resume"), { headers: { "sec-fetch-site": "cross-site" } });
    journey.cookies.set("id_token", await tokenOf("anna"));
    await journey.go("/resume", redirect(appCallback));
    expect(countedOf(stage)).toEqual(["assignment", "auth s"]);
  });
});

describe("the issuer's keys", () => {
  it.each<[string, () => Response | Promise<Response>]>([
    ["500", () => new Response("down", { status: 500 })],
    ["404", () => new Response("none", { status: 404 })],
    ["429", () => new Response("slow down", { status: 429 })],
    ["a page", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
    ["no key set", () => Response.json({ error: "x" })],
    ["null", () => Response.json(null)],
    ["a refused connection", () => Promise.reject(new TypeError("connection refused"))],
  ])("that are answered with %s open their circuit, and each login is forwarded", async (_, answer) => {
    const { tokenOf } = await createIssuer();
    const stage = createStage({ tenant });
    const counter = answerKeySet(answer);
    await publish({ experiments: [ofUsers] });
    for (let index = 0; index < 45; index++) {
      const journey = createJourney(stage);
      journey.cookies.set("id_token", await tokenOf(`user-${index}`));
      expect((await journey.go("/login", page())).response.status).toBe(200);
    }
    expect(counter.fetches).toBeLessThan(45);
    expect(warningsOf(stage)).toContain("experiment_circuit_open");
  });
});

describe("the flow of an experiment", () => {
  it.each([
    ["auth0", "password_reset", "/u/login", "/u/reset-password/request/x"],
    ["auth0", "mfa_challenge", "/u/login/password", "/u/mfa-otp-challenge"],
    ["keycloak", "password_reset", "/realms/a/login-actions/authenticate", "/realms/a/login-actions/reset-credentials"],
    [
      "keycloak",
      "mfa_enrollment",
      "/realms/a/login-actions/registration",
      "/realms/a/login-actions/required-action?execution=CONFIGURE_TOTP",
    ],
  ] as const)("says where it is assigned: %s, %s", async (provider, flow, other, own) => {
    const stage = createStage({ tenant: { provider } });
    await publish({ experiments: [experiment({ authentication_flow: flow })] });
    const journey = createJourney(stage);
    expect((await journey.go(other)).stamp("id")).toBeNull();
    expect(countedOf(stage)).toEqual([]);
    expect((await journey.go(own)).stamp("id")).toBe("exp_Page");
    expect((await journey.go(other)).stamp("method")).toBe("session");
    expect(countedOf(stage)).toEqual(["assignment", "exposure"]);
  });

  it.each(["authentication", "all"] as const)("exposes nobody off its pages: %s", async (flow) => {
    const stage = createStage({ tenant: { provider: "auth0" } });
    await publish({ experiments: [experiment({ authentication_flow: flow })] });
    const journey = createJourney(stage);
    await journey.go("/authorize?client_id=a&response_type=code&state=1", redirect("/u/reset-password/request/x"));
    await journey.go("/u/reset-password/request/x");
    expect(countedOf(stage)).toEqual(flow === "all" ? ["assignment", "exposure"] : ["assignment"]);
  });
});
