/** The provider's log-in and sign-up pages: plain forms that work without script and change by the stamp alone. */
import { demoPassword } from "./accounts.ts";
import { readLoginParameters, readSignUpParameters } from "./login-parameters.ts";
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

/** From which step on a sign-up of so many steps asks for it: the last two do, or the one that there is. */
export function stepOf(field: "email" | "password", steps: number): number {
  return field === "password" ? steps : Math.max(1, steps - 1);
}

export function renderSignUp({
  path,
  stamp,
  email = "",
  error,
  step = 1,
}: FormPage & { step?: number }): Promise<string> {
  const { layout, social_proof } = readLoginParameters(stamp);
  const { headline, steps } = readSignUpParameters(stamp);
  const asks = (field: "email" | "password") => stepOf(field, steps) === step;
  const isLast = step === steps;
  return renderPage({
    title: `${headline} – Atlas ID`,
    name: "signup",
    layout: layout === "split" ? "split" : "narrow",
    footer: stampDetails(stamp),
    main: html`${layout === "split" ? welcome : ""}<div class="content">
<p class="brand">Atlas ID</p>
<h1>${headline}</h1>
<p class="muted">${steps === 1 ? "to continue to Atlas Notes" : `Step ${step} of ${steps}`}</p>
${social_proof === "" ? "" : html`<p class="proof">${social_proof}</p>`}
${alertOf(error)}
<form class="fields" method="post" action="${path}/signup">
${steps === 1 ? "" : html`<input type="hidden" name="step" value="${step}">`}
${asks("email") ? emailField(email, error) : html`<input type="hidden" name="email" value="${email}">`}
${asks("email") || asks("password") ? "" : html`<p class="below">Atlas Notes keeps what you write and finds it again. All it takes is an address and a password.</p>`}
${asks("password") ? newPasswordField(error, !asks("email")) : ""}
<button class="button" type="submit">${isLast ? "Create account" : "Continue"}</button>
</form>
<p class="below">Have an account? <a href="${path}?page=signin">Sign in</a></p>
</div>`,
  });
}

function newPasswordField(error: FormPage["error"], isAlone: boolean): Markup {
  return html`<label for="password">Choose a password</label>
<input id="password" name="password" type="password" autocomplete="new-password" required minlength="${shortestPassword}"
 ${stateOf("password", error, isAlone || error?.field === "password")}>
<p class="muted small below" id="hint">At least ${shortestPassword} characters. This is a demo: the account is forgotten when it stops.</p>`;
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
