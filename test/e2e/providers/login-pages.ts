/** The pages that the providers of these tests show; what they say follows the stamp. */
import { html } from "hono/html";
import { readLoginParameters } from "../../../scripts/demo/login-parameters.ts";
import type { StampReading } from "../../../scripts/demo/stamp.ts";

interface LoginPage {
  /** Where its form posts to. */
  action: string;
  stamp: StampReading;
  error?: string;
  links?: Readonly<Record<string, string>>;
  button?: string;
}

export async function renderLogin({ action, stamp, error, links = {}, button = "Log in" }: LoginPage): Promise<string> {
  const { headline } = readLoginParameters(stamp);
  return renderDocument(
    headline,
    html`${error === undefined ? "" : html`<p role="alert">${error}</p>`}
<form method="post" action="${action}">
<label>Email <input name="email" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button type="submit">${button}</button>
</form>
${Object.entries(links).map(([text, address]) => html`<p><a href="${address}">${text}</a></p>`)}`,
  );
}

/** A form that sends itself, as SAML's POST binding has it (saml-bindings-2.0 §3.5.4). */
export function renderAutoForm(action: string, fields: Readonly<Record<string, string>>): Promise<string> {
  return renderDocument(
    "One moment",
    html`<form method="post" action="${action}">
${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
</form><script>document.forms[0].submit()</script>`,
  );
}

export async function renderDocument(headline: string, body: unknown): Promise<string> {
  return String(
    await html`<!doctype html><html lang="en"><head><title>${headline}</title><link rel="icon" href="data:,"></head>
<body><h1>${headline}</h1>${body}</body></html>`,
  );
}

export function htmlResponse(markup: string, status = 200): Response {
  return new Response(markup, { status, headers: { "content-type": "text/html; charset=utf-8" } });
}
