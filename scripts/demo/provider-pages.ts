/** The provider's own pages besides log-in: log-out, and an error that has nowhere to go back to. */
import type { PageContext } from "oidc-provider";
import { html, renderPage } from "./page.ts";

/** `form` is the provider's own, with its anti-forgery value; the buttons only have to name it. */
export async function renderLogout(context: PageContext, form: string): Promise<void> {
  const page = await renderPage({
    title: "Sign out – Atlas ID",
    main: html`<p class="brand">Atlas ID</p><h1>Sign out?</h1>
<p class="muted">This signs you out of Atlas ID and of the application you came from.</p>
<!--form-->
<div class="actions"><button class="button" type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>
<button class="button quiet" type="submit" form="op.logoutForm">Stay signed in</button></div>`,
  });
  context.body = page.replace("<!--form-->", () => form);
}

export async function renderLoggedOut(context: PageContext): Promise<void> {
  context.type = "html";
  context.body = await renderPage({
    title: "Signed out – Atlas ID",
    main: html`<p class="brand">Atlas ID</p><h1>You are signed out</h1><p>You can close this page.</p>`,
  });
}

export async function renderError(
  context: PageContext,
  { error, error_description: description }: { error: string; error_description?: string },
): Promise<void> {
  context.type = "html";
  context.body = await renderPage({
    title: "Something is wrong – Atlas ID",
    main: html`<p class="brand">Atlas ID</p><h1>This cannot go on</h1>
<p>${description ?? "The request was not understood."}</p><p class="muted small">Code: <code>${error}</code></p>`,
  });
}
