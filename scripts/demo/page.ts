/** The frame and the one stylesheet of every page of the demo. */
import { html, raw } from "hono/html";

export { html };

/** Escaped markup, as the tagged template gives it. */
export type Markup = ReturnType<typeof html>;

const stylesheet = `
:root {
  color-scheme: light dark;
  --ground: #f4f4f0; --paper: #fff; --ink: #1b1d22; --muted: #5b606b; --line: #d5d6d2; --field: #85898f;
  --accent: #1f5c4d; --accent-deep: #174638; --on-accent: #fff; --wrong: #a8201a; --wrong-ground: #fdf0ee;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14161a; --paper: #1d2026; --ink: #eceef1; --muted: #a3a9b4; --line: #343943; --field: #747b88;
    --accent: #7fd1b9; --accent-deep: #9fe0cc; --on-accent: #0d1f1a; --wrong: #ff9c93; --wrong-ground: #38201f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100svh; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  display: flex; flex-direction: column; align-items: center; padding: clamp(1rem, 6vh, 4.5rem) 1rem 2rem;
}
main, footer { width: 100%; max-width: 26rem; }
main.wide { max-width: 80rem; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: clamp(1.25rem, 5vw, 2.25rem); }
.brand { margin: 0 0 1.5rem; font-weight: 650; letter-spacing: -.01em; color: var(--accent); }
h1 { margin: 0 0 .35rem; font-size: 1.6rem; line-height: 1.2; letter-spacing: -.02em; text-wrap: balance; }
h2 { margin: 2rem 0 .5rem; font-size: 1.05rem; letter-spacing: -.01em; }
p { margin: 0 0 1rem; text-wrap: pretty; }
.muted { color: var(--muted); }
.small { font-size: .875rem; }
.proof { margin: .75rem 0 0; padding: .5rem .75rem; border-left: 3px solid var(--accent); color: var(--muted); font-size: .925rem; }
form { margin: 0; }
label { display: block; margin: 1.1rem 0 .3rem; font-weight: 550; font-size: .925rem; }
input {
  width: 100%; padding: .65rem .75rem; font: inherit; color: inherit; background: var(--paper);
  border: 1px solid var(--field); border-radius: 8px;
}
input[aria-invalid="true"] { border-color: var(--wrong); }
.button {
  display: inline-block; padding: .65rem 1.1rem; font: inherit; font-weight: 600; text-align: center; text-decoration: none;
  color: var(--on-accent); background: var(--accent); border: 1px solid var(--accent); border-radius: 8px; cursor: pointer;
}
.button:hover { background: var(--accent-deep); border-color: var(--accent-deep); }
.button.quiet { color: var(--accent); background: transparent; }
.button.quiet:hover { text-decoration: underline; }
form.fields .button { width: 100%; margin-top: 1.5rem; }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; margin: 1.5rem 0 0; }
.below { margin: 1.25rem 0 0; }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid color-mix(in srgb, var(--accent) 55%, transparent); outline-offset: 2px; }
.wrong {
  margin: 1.1rem 0 0; padding: .65rem .8rem; color: var(--wrong); background: var(--wrong-ground);
  border: 1px solid currentColor; border-radius: 8px; font-size: .925rem;
}
code, td { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .875em; }
footer { margin-top: 1rem; color: var(--muted); font-size: .85rem; }
summary { cursor: pointer; padding: .4rem 0; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; margin: .25rem 0 .75rem; color: var(--ink); font-size: .85rem; text-align: left; }
th, td { padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 550; color: var(--muted); white-space: nowrap; overflow-wrap: normal; }
.list td, .list th { white-space: nowrap; overflow-wrap: normal; }
.panel { display: none; }
@media (min-width: 60rem) {
  main.split { max-width: 58rem; }
  main.split .card { display: grid; grid-template-columns: 1fr 1fr; padding: 0; overflow: hidden; }
  main.split .content { padding: 2.75rem; }
  main.split + footer { max-width: 58rem; }
  main.split .panel {
    display: flex; flex-direction: column; justify-content: flex-end; padding: 2.75rem; min-height: 34rem;
    color: #eef7f3; background: #1f5c4d;
  }
  .panel p { margin: 0 0 .5rem; }
  .panel .greeting { font-size: 2.1rem; line-height: 1.15; letter-spacing: -.025em; font-weight: 600; text-wrap: balance; }
}
`;

interface Page {
  title: string;
  /** Marks the page for tests and styles: `<html data-page>`. */
  name?: string;
  /** A class on `<main>`: a narrow card, two columns, or room for tables. */
  layout?: "narrow" | "split" | "wide";
  main: unknown;
  footer?: unknown;
}

export async function renderPage({ title, name, layout = "narrow", main, footer }: Page): Promise<string> {
  const marker = name === undefined ? "" : html` data-page="${name}"`;
  return String(
    await html`<!doctype html>
<html lang="en"${marker}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${raw(stylesheet)}</style>
</head>
<body>
<main class="${layout}"><div class="card">${main}</div></main>
${footer === undefined ? "" : html`<footer>${footer}</footer>`}
</body>
</html>`,
  );
}
