/** The provider's log-in and sign-up pages: plain forms that work without script and change by the stamp alone. */
import { demoPassword } from "./accounts.ts";
import { readLoginParameters } from "./login-parameters.ts";
import { html, type Markup, renderPage } from "./page.ts";
import type { StampReading } from "./stamp.ts";
import { stampDetails } from "./stamp-log.ts";

export const shortestPassword = 8;

interface FormPage {
  /** Where the interaction lives: `/interaction/<uid>`. */
  path: string;
  stamp: StampReading;
  email?: string;
  error?: { field: "email" | "password"; message: string };
}

export function renderSignIn({ path, stamp, email = "", error }: FormPage): Promise<string> {
  const parameters = readLoginParameters(stamp);
  return renderPage({
    title: `${parameters.headline} – Atlas ID`,
    name: "signin",
    layout: parameters.layout === "split" ? "split" : "narrow",
    footer: stampDetails(stamp),
    main: html`${parameters.layout === "split" ? welcome : ""}<div class="content">
<p class="brand">Atlas ID</p>
<h1>${parameters.headline}</h1>
<p class="muted">to continue to Atlas Notes</p>
${parameters.social_proof === "" ? "" : html`<p class="proof">${parameters.social_proof}</p>`}
${alertOf(error)}
<form class="fields" method="post" action="${path}">
${emailField(email, error)}
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required
 ${stateOf("password", error, error?.field === "password")}>
<p class="muted small below" id="hint">This is a demo: any e-mail address, and the password <code>${demoPassword}</code>.</p>
<button class="button" type="submit">${parameters.button_label}</button>
</form>
<p class="below">New here? <a href="${path}/signup">Create an account</a></p>
</div>`,
  });
}

export function renderSignUp({ path, stamp, email = "", error }: FormPage): Promise<string> {
  const parameters = readLoginParameters(stamp);
  return renderPage({
    title: "Create an account – Atlas ID",
    name: "signup",
    layout: parameters.layout === "split" ? "split" : "narrow",
    footer: stampDetails(stamp),
    main: html`${parameters.layout === "split" ? welcome : ""}<div class="content">
<p class="brand">Atlas ID</p>
<h1>Create an account</h1>
<p class="muted">to continue to Atlas Notes</p>
${parameters.social_proof === "" ? "" : html`<p class="proof">${parameters.social_proof}</p>`}
${alertOf(error)}
<form class="fields" method="post" action="${path}/signup">
${emailField(email, error)}
<label for="password">Choose a password</label>
<input id="password" name="password" type="password" autocomplete="new-password" required minlength="${shortestPassword}"
 ${stateOf("password", error, error?.field === "password")}>
<p class="muted small below" id="hint">At least ${shortestPassword} characters. This is a demo: the account is forgotten when it stops.</p>
<button class="button" type="submit">Create account</button>
</form>
<p class="below">Have an account? <a href="${path}?page=signin">Sign in</a></p>
</div>`,
  });
}

const welcome = html`<div class="panel"><p class="greeting">Your notes, wherever you left off.</p>
<p>One account for writing, sharing and finding things again.</p></div>`;

/** The message stands before the form and is announced; the field it is about points to it. */
function alertOf(error: FormPage["error"]): Markup | "" {
  return error === undefined ? "" : html`<p class="wrong" id="error" role="alert">${error.message}</p>`;
}

function emailField(email: string, error: FormPage["error"]): Markup {
  return html`<label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="username" inputmode="email" required value="${email}"
 ${stateOf("email", error, error?.field !== "password")}>`;
}

function stateOf(field: "email" | "password", error: FormPage["error"], focused: boolean): Markup {
  const describedBy = [...(error?.field === field ? ["error"] : []), ...(field === "password" ? ["hint"] : [])].join(
    " ",
  );
  return html`${describedBy === "" ? "" : html` aria-describedby="${describedBy}"`}${
    error?.field === field ? html` aria-invalid="true"` : ""
  }${focused ? html` autofocus` : ""}`;
}
