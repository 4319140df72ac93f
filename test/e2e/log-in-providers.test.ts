import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Visitor } from "../../scripts/browserless/visitor.ts";
import { logEntriesOf } from "./log-in-report.ts";
import { formPage, redirectTo, type ScriptedGate, startScriptedGate } from "./scripted-origin.ts";
import { sample } from "./stack.ts";

const callback = "http://app.example/callback";
const query = `client_id=app&response_type=code&state=s1&redirect_uri=${encodeURIComponent(callback)}`;
const success = `${callback}?code=c1&state=s1`;
const stampQuery = { experiment_id: "ext-experiment", variation_id: "ext-variation" };

/** Where each provider begins, shows its forms, and where its browser calls go that are no page. */
const shapes = {
  auth0: {
    authorize: "/authorize",
    login: "/u/login?state=t1",
    signup: "/u/signup?state=t1",
    resume: "/authorize/resume?state=t1",
    others: ["/.well-known/openid-configuration", "/userinfo", "/v2/logout"],
  },
  keycloak: {
    authorize: "/realms/acme/protocol/openid-connect/auth",
    login: "/realms/acme/login-actions/authenticate?client_id=app&tab_id=t1",
    signup: "/realms/acme/login-actions/registration?client_id=app&tab_id=t1",
    resume: undefined,
    others: ["/realms/acme", "/realms/acme/account", "/resources/theme/logo"],
  },
  cognito: {
    authorize: "/oauth2/authorize",
    login: `/login?${query}`,
    signup: `/signup?${query}`,
    resume: undefined,
    others: ["/oauth2/userInfo", "/logout", "/.well-known/jwks.json"],
  },
} as const;
type Name = keyof typeof shapes;
const names = ["auth0", "keycloak", "cognito"] as const;

/** Behaves by the provider's addresses: the password "right" opens the door. */
async function answer(request: Request, tenant: string): Promise<Response> {
  const { authorize, login, signup, resume } = shapes[tenant as Name];
  const { pathname, search } = new URL(request.url);
  const at = (address: string) => pathname === address.split("?", 1)[0];
  if (at(authorize)) return tenant === "keycloak" ? formPage("Sign in", 200, login) : redirectTo(login);
  if (resume !== undefined && at(resume)) return redirectTo(success);
  if (!at(login) && !at(signup)) return Response.json({});
  if (request.method === "GET") return formPage("Sign in");
  const isRight = new URLSearchParams(await request.text()).get("password") === "right";
  if (isRight) return redirectTo(resume ?? success);
  if (tenant === "cognito") return redirectTo(`${pathname}${search}&error=Incorrect+username+or+password.`);
  return formPage("Sign in", tenant === "auth0" ? 400 : 200, `${pathname}${search}`);
}

let gate: ScriptedGate;
beforeAll(async () => {
  const settings = (provider: Name) => [provider, { provider, stamp: { query: stampQuery } }] as const;
  gate = await startScriptedGate(Object.fromEntries(names.map(settings)), answer);
});
afterAll(() => gate.close());

interface Visit {
  visitor: Visitor;
  start(extra?: string): Promise<void>;
  send(password: string): Promise<void>;
  /** `GET /path variation method` of what was asked since last time; `-` where there was no stamp. */
  takeAsked(): string[];
  /** Types of the log entries this visit has left, once there are as many. */
  logged(count: number): Promise<string[]>;
}

function visit(name: Name): Visit {
  const visitor = gate.newVisitor(name);
  const stopAt = callback;
  const before = gate.lines.length;
  const entries = () => logEntriesOf(gate.lines.slice(before)).filter(({ tenant_name }) => tenant_name === name);
  gate.takeAsked(name);
  return {
    visitor,
    async start(extra = "") {
      await visitor.get(`${gate.url}${shapes[name].authorize}?${query}${extra}`, { stopAt });
    },
    async send(password) {
      await visitor.submit({ password }, { stopAt });
    },
    takeAsked: () =>
      gate.takeAsked(name).map(({ method, target, experiment }) => {
        const told = experiment ? `${experiment.variation_id} ${experiment.method}` : "-";
        return `${method} ${target.split("?", 1)[0]} ${told}`;
      }),
    async logged(count) {
      await expect.poll(() => entries().length).toBe(count);
      return entries().map(({ type }) => type);
    },
  };
}

const forced = `&experiment_id=${sample.experiment}&variation_id=${sample.treatment}`;
const pathOf = (address: string) => address.split("?", 1)[0] ?? "";
/** Keycloak shows its page on the authorize request itself. */
const pageOf = (name: Name) => (name === "keycloak" ? [] : [`GET ${pathOf(shapes[name].login)}`]);
const resumeOf = (name: Name) => (name === "auth0" ? ["GET /authorize/resume"] : []);

describe.each(names)("the preset of %s", (name) => {
  const { authorize, login, signup, others } = shapes[name];
  const post = `POST ${pathOf(login)}`;

  it("stamps the authorize request, the pages and the forms, and tells a log-in", async () => {
    const visiting = visit(name);
    await visiting.start(forced);
    await visiting.send("right");
    const told = [`GET ${authorize}`, ...pageOf(name), post, ...resumeOf(name)];
    expect(visiting.takeAsked()).toEqual(told.map((request) => `${request} ${sample.treatment} forced`));
    expect(await visiting.logged(1)).toEqual(["s"]);
    expect(visiting.visitor.cookies.get(gate.url, "vst_ses")).toBeUndefined();
  });

  it("stamps nothing else of who has no log-in under way", async () => {
    const visiting = visit(name);
    for (const path of others) await visiting.visitor.get(`${gate.url}${path}`);
    for (const dest of ["style", "script", "image", "font"]) {
      await visiting.visitor.get(`${gate.url}${login}`, { headers: { "sec-fetch-dest": dest, accept: "*/*" } });
    }
    expect(visiting.takeAsked()).toEqual(Array(others.length + 4).fill(expect.stringMatching(/ -$/)));
    expect(visiting.visitor.cookies.headerFor(new URL(gate.url))).toBe("");
  });

  it("tells a refused password, and keeps the page over it", async () => {
    const visiting = visit(name);
    await visiting.start(forced);
    await visiting.send("wrong");
    await visiting.send("right");
    const again = name === "cognito" ? pageOf(name) : [];
    const told = [`GET ${authorize}`, ...pageOf(name), post, ...again, post, ...resumeOf(name)];
    expect(visiting.takeAsked()).toEqual(told.map((request) => `${request} ${sample.treatment} forced`));
    // Keycloak shows a refused password with 200, as it does a second factor: nothing tells.
    expect(await visiting.logged(name === "keycloak" ? 1 : 2)).toEqual(name === "keycloak" ? ["s"] : ["f", "s"]);
  });

  it("tells a sign-up", async () => {
    const visiting = visit(name);
    await visiting.start();
    await visiting.visitor.get(`${gate.url}${signup}`);
    await visiting.send("right");
    expect(await visiting.logged(1)).toEqual(["ss"]);
  });

  it("puts stamp.query on authorize requests only, and takes off what was sent under its names", async () => {
    const { visitor } = visit(name);
    const spoofed = "&ext-variation=var_Spoofed&ext-other=kept";
    await visitor.get(`${gate.url}${authorize}?${query}${forced}${spoofed}`, { stopAt: callback });
    const [first, ...rest] = gate.takeAsked(name);
    expect(first?.query.getAll("ext-variation")).toEqual([sample.treatment]);
    expect(first?.query.getAll("ext-experiment")).toEqual([sample.experiment]);
    expect(first?.query.get("ext-other")).toBe("kept");
    expect(rest.filter(({ target }) => target.includes("ext-"))).toEqual([]);

    const silent = `${query}&prompt=none${spoofed}`;
    await visitor.get(`${gate.url}${authorize}?${silent}`, { stopAt: callback });
    const [unstamped] = gate.takeAsked(name);
    expect(unstamped?.experiment).toBeUndefined();
    expect(unstamped?.query.getAll("ext-variation")).toEqual([]);
    expect(unstamped?.query.get("ext-other")).toBe("kept");
  });
});
