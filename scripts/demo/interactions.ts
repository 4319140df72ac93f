/** The addresses of the log-in itself: `/interaction/<uid>` and `/interaction/<uid>/signup`, and what was stamped on them. */
import { type Context, Hono } from "hono";
import type { Interaction, Provider } from "oidc-provider";
import type { Accounts, DemoAccount } from "./accounts.ts";
import type { NodeBindings } from "./listen.ts";
import { readSignUpParameters } from "./login-parameters.ts";
import { errors } from "./oidc.ts";
import { html, renderPage } from "./page.ts";
import { renderSignIn, renderSignUp, shortestPassword, stepOf } from "./sign-in-pages.ts";
import type { StampReading } from "./stamp.ts";
import { renderStamps, type StampLog, stampDetails } from "./stamp-log.ts";

type Environment = { Bindings: NodeBindings; Variables: { interaction: Interaction } };

interface Parts {
  provider: Provider;
  accounts: Accounts;
  stamps: StampLog;
  stampOf(headers: Headers): Promise<StampReading>;
}

export function createInteractions({ provider, accounts, stamps, ...parts }: Parts): Hono<Environment> {
  const app = new Hono<Environment>();

  app.get("/demo/stamps", async (c) => {
    c.header("Cache-Control", "no-store");
    const wantsJson = c.req.header("Accept")?.startsWith("application/json") ?? false;
    return wantsJson ? c.json(stamps.list()) : c.html(await renderStamps(stamps.list()));
  });

  app.use("/interaction/:uid/*", async (c, next) => {
    const interaction = await provider.interactionDetails(c.env.incoming, c.env.outgoing);
    // The cookie says which log-in this is; an address with another one is a stale tab.
    if (interaction.uid !== c.req.param("uid")) throw new errors.SessionNotFound("another log-in is under way");
    c.set("interaction", interaction);
    c.header("Cache-Control", "no-store");
    await next();
  });

  app.get("/interaction/:uid", async (c) => {
    const { uid, prompt, params } = c.get("interaction");
    const path = `/interaction/${uid}`;
    // "Initiating User Registration via OpenID Connect 1.0": prompt=create leads to sign-up first, and the way back stays open.
    if (prompt.name === "create" && c.req.query("page") !== "signin") return c.redirect(`${path}/signup`, 303);
    return c.html(await renderSignIn({ path, stamp: await stampOf(c), email: params.login_hint ?? "" }));
  });

  app.post("/interaction/:uid", async (c) => {
    const { email, password } = await readForm(c);
    const account = accounts.signIn(email, password);
    if (account !== undefined) return finish(c, account);
    const error = { field: "password", message: "Wrong e-mail address or password." } as const;
    // 400 rather than 401: a 401 owes a WWW-Authenticate challenge (RFC 9110 §15.5.2), which a form has none of.
    return c.html(await renderSignIn({ path: pathOf(c), stamp: await stampOf(c), email, error }), 400);
  });

  app.get("/interaction/:uid/signup", async (c) =>
    c.html(await renderSignUp({ path: pathOf(c), stamp: await stampOf(c) })),
  );

  app.post("/interaction/:uid/signup", async (c) => {
    const { email, password, step } = await readForm(c);
    const stamp = await stampOf(c);
    const { steps } = readSignUpParameters(stamp);
    const page = { path: pathOf(c), stamp, email };
    const refuse = async (field: "email" | "password", message: string) =>
      c.html(await renderSignUp({ ...page, step: stepOf(field, steps), error: { field, message } }), 400);
    const asked = steps === 1 ? 1 : Math.min(step, steps);
    if (asked >= stepOf("email", steps) && !/^[^@\s]+@[^@\s]+$/.test(email)) {
      return refuse("email", "That is not an e-mail address.");
    }
    if (asked < steps) return c.html(await renderSignUp({ ...page, step: asked + 1 }));
    if (password.length < shortestPassword) {
      return refuse("password", `The password needs at least ${shortestPassword} characters.`);
    }
    const account = accounts.signUp(email, password);
    return account === undefined
      ? refuse("email", "This address has an account: sign in instead.")
      : finish(c, account);
  });

  app.onError(async (error, c) => {
    if (!(error instanceof errors.SessionNotFound)) throw error;
    return c.html(
      await renderPage({
        title: "Start again – Atlas ID",
        main: html`<p class="brand">Atlas ID</p><h1>This sign-in is over</h1>
<p>It has expired, was finished, or belongs to another tab. Go back to the application and start again.</p>`,
        footer: stampDetails(await stampOf(c)),
      }),
      400,
    );
  });

  const pathOf = (c: Context<Environment>) => `/interaction/${c.get("interaction").uid}`;
  const stampOf = (c: Context<Environment>) => parts.stampOf(c.req.raw.headers);

  async function finish(c: Context<Environment>, account: DemoAccount): Promise<Response> {
    // `create` is answered however the visitor got in, or the provider would ask again.
    const result = { login: { accountId: account.id }, create: {} };
    return c.redirect(await provider.interactionResult(c.env.incoming, c.env.outgoing, result), 303);
  }

  return app;
}

async function readForm(c: Context): Promise<{ email: string; password: string; step: number }> {
  const form = await c.req.parseBody();
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return { email: text(form.email).trim(), password: text(form.password), step: Number(text(form.step)) || 1 };
}
