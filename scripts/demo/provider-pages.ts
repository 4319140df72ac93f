/** The provider's own pages besides log-in: log-out, and an error that has nowhere to go back to. */
import type { PageContext } from "oidc-provider";
import { headersOf } from "./listen.ts";
import { html, type Markup, renderPage } from "./page.ts";
import type { StampReading } from "./stamp.ts";
import { stampDetails } from "./stamp-log.ts";

interface ProviderPages {
  /** `form` is the provider's own, with its anti-forgery value; the buttons only have to name it. */
  renderLogout(context: PageContext, form: string): Promise<void>;
  renderLoggedOut(context: PageContext): Promise<void>;
  renderError(context: PageContext, out: { error: string; error_description?: string }): Promise<void>;
}

export function createProviderPages(stampOf: (headers: Headers) => Promise<StampReading>): ProviderPages {
  async function render(context: PageContext, title: string, main: Markup): Promise<string> {
    context.type = "html";
    const stamp = await stampOf(headersOf(context.req));
    return renderPage({
      title: `${title} – Atlas ID`,
      main: html`<p class="brand">Atlas ID</p><h1>${title}</h1>${main}`,
      footer: stampDetails(stamp),
    });
  }

  return {
    async renderLogout(context, form) {
      const page = await render(
        context,
        "Sign out?",
        html`<p class="muted">This signs you out of Atlas ID and of the application you came from.</p>
<!--form-->
<div class="actions"><button class="button" type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>
<button class="button quiet" type="submit" form="op.logoutForm">Stay signed in</button></div>`,
      );
      context.body = page.replace("<!--form-->", () => form);
    },
    async renderLoggedOut(context) {
      context.body = await render(context, "You are signed out", html`<p>You can close this page.</p>`);
    },
    async renderError(context, { error, error_description: description }) {
      context.body = await render(
        context,
        "This cannot go on",
        html`<p>${description ?? "The request was not understood."}</p>
<p class="muted small">Code: <code>${error}</code></p>`,
      );
    },
  };
}
