/** The relying party's three pages. */
import { html, renderPage } from "./page.ts";

interface Start {
  issuer: string;
  overrides: readonly { label: string; query: string }[];
  hasBetaTesters: boolean;
}

export function renderStart({ issuer, overrides, hasBetaTesters }: Start): Promise<string> {
  return renderPage({
    title: "Atlas Notes",
    name: "start",
    main: html`<p class="brand">Atlas Notes</p>
<h1>Your notes, everywhere</h1>
<p class="muted">A demo application. It signs you in with Atlas ID at <code>${issuer}</code>.</p>
<div class="actions"><a class="button" href="/login">Sign in</a><a class="button quiet" href="/login?prompt=create">Create an account</a></div>
${
  overrides.length === 0
    ? ""
    : html`<h2>Force a variation</h2>
<p class="muted small">For quality assurance: these log-ins are kept out of the results.</p>
<ul>${overrides.map(({ label, query }) => html`<li><a href="/login?${query}">${label}</a></li>`)}</ul>`
}
${
  hasBetaTesters
    ? html`<h2>Beta testers</h2>
<p class="muted small">A list that this application keeps, and Vestibule fetches as a cohort.
<a href="/beta-testers">Who is on it</a></p>`
    : ""
}`,
  });
}

export function renderSignedIn(claims: Record<string, unknown>): Promise<string> {
  return renderPage({
    title: "Signed in – Atlas Notes",
    name: "signed-in",
    main: html`<p class="brand">Atlas Notes</p>
<h1>You are signed in</h1>
<p class="muted">as <strong>${claims.email ?? claims.sub}</strong></p>
<table>${Object.entries(claims).map(
      ([name, value]) =>
        html`<tr><th scope="row">${name}</th><td>${typeof value === "string" ? value : JSON.stringify(value)}</td></tr>`,
    )}</table>
<form class="actions" method="post" action="/logout"><button class="button" type="submit">Sign out</button>
<a class="button quiet" href="/login?prompt=login">Sign in again</a></form>`,
  });
}

export function renderFailure(message: string): Promise<string> {
  return renderPage({
    title: "Not signed in – Atlas Notes",
    name: "failure",
    main: html`<p class="brand">Atlas Notes</p><h1>That did not work</h1>
<p class="wrong" role="alert">${message}</p>
<div class="actions"><a class="button" href="/">Back to the start</a></div>`,
  });
}
