/** What every page has around it. */
import type { Child } from "hono/jsx";
import { assetsPath, dashboardPath, pageAt } from "./address.ts";
import { FormKey } from "./forms/form.tsx";
import { writtenFor } from "./parts/reader.tsx";
import type { Page, Visit } from "./visit.ts";

/** Name, address, and what one must be allowed to do there. */
type Place = readonly [name: string, path: string, verb?: "delete"];
const sections: readonly (readonly Place[])[] = [
  [["Overview", "/"]],
  [
    ["Experiments", "/experiments"],
    ["Feature flags", "/flags"],
    ["Segments", "/segments"],
    ["Cohorts", "/cohorts"],
    ["Groups", "/groups"],
  ],
  [
    ["Try it out", "/qa"],
    ["Explain", "/explain"],
    ["Log", "/log"],
    ["Changes", "/changes"],
  ],
  [
    ["Deployments", "/deployments"],
    ["Tokens", "/tokens"],
    ["Log streams", "/log-streams"],
    ["Import and export", "/transfer"],
    ["Forget somebody", "/forget", "delete"],
  ],
];

interface DocumentProps {
  title: string;
  children: Child;
  /** Nobody is signed in: there are no files but the stylesheet. */
  isDoor?: boolean;
  plots?: boolean;
}

function Document({ title, children, isDoor = false, plots = false }: DocumentProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · Vestibule`}</title>
        {!isDoor && <link rel="icon" href={`${assetsPath}icon.svg`} type="image/svg+xml" />}
        <link rel="stylesheet" href={`${assetsPath}style.css`} />
        {plots && <link rel="stylesheet" href={`${assetsPath}uplot.css`} />}
        {!isDoor && <script src={`${assetsPath}page.js`} defer />}
        {plots && <script src={`${assetsPath}uplot.js`} defer />}
        {plots && <script src={`${assetsPath}plots.js`} defer />}
      </head>
      <body>{children}</body>
    </html>
  );
}

function Brand() {
  return (
    <a class="brand" href={`${dashboardPath}/`}>
      <svg viewBox="0 0 16 16" width="20" height="20" aria-hidden="true">
        <path d="M2 14V6a6 6 0 0 1 12 0v8M6 14V7a2 2 0 0 1 4 0v7" />
      </svg>
      Vestibule
    </a>
  );
}

function isCurrent(path: string, pathname: string): boolean {
  const address = `${dashboardPath}${path}`;
  return path === "/" ? pathname === address : pathname === address || pathname.startsWith(`${address}/`);
}

function Navigation({ visit }: { visit: Visit }) {
  return (
    <nav id="menu" popover="auto" aria-label="Main">
      {sections.map((section) => (
        <ul>
          {section
            .filter(([, , verb]) => verb === undefined || visit.may(verb))
            .map(([name, path]) => (
              <li>
                <a
                  href={`${dashboardPath}${path}`}
                  aria-current={isCurrent(path, visit.url.pathname) ? "page" : undefined}
                >
                  {name}
                </a>
              </li>
            ))}
        </ul>
      ))}
      <Account visit={visit} />
    </nav>
  );
}

function Account({ visit }: { visit: Visit }) {
  const { caller, tenants, session } = visit;
  return (
    <div class="account">
      {tenants.length > 1 ? (
        <form method="post" action={pageAt`/tenant`}>
          <FormKey of={session} />
          <label for="tenant">Tenant</label>
          <span class="joined">
            <select id="tenant" name="tenant">
              {tenants.map((id) => (
                <option selected={id === caller.tenant}>{id}</option>
              ))}
            </select>
            <button type="submit">Go</button>
          </span>
        </form>
      ) : (
        <p>
          Tenant <strong>{caller.tenant}</strong>
        </p>
      )}
      <p class="quiet">
        {caller.actor}
        {!visit.may("update") && !visit.may("create") && ", may only look"}
        <br />
        Times in {visit.reader.timeZone}
      </p>
      <form method="post" action={pageAt`/sign-out`}>
        <FormKey of={session} />
        <button type="submit" class="plain">
          Sign out
        </button>
      </form>
    </div>
  );
}

export function renderPage(visit: Visit, { title, body, plots = false }: Page): string {
  const page = (
    <Document title={title} plots={plots}>
      <a class="skip" href="#content">
        To the content
      </a>
      <header class="top">
        <Brand />
        <button type="button" class="menu" popovertarget="menu">
          Menu
        </button>
      </header>
      <Navigation visit={visit} />
      <main id="content" tabindex={-1}>
        {body}
      </main>
    </Document>
  );
  return writtenFor(visit.reader, () => `<!doctype html>${page}`);
}

/** For who is not signed in: no navigation, and nothing of what there is. */
export function renderDoor(title: string, body: Child): string {
  const page = (
    <Document title={title} isDoor>
      <main id="content" class="door">
        <p class="brand">
          <Brand />
        </p>
        {body}
      </main>
    </Document>
  );
  return `<!doctype html>${page}`;
}
