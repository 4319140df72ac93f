/** A list that the application keeps in a file, and gives to whoever asks: devices that see first what is new. */
import { readFile, writeFile } from "node:fs/promises";
import type { Hono } from "hono";
import { getCookie } from "hono/cookie";
import { etag } from "hono/etag";
import { betaTestersPath } from "./beta-testers-source.ts";
import type { NodeBindings } from "./listen.ts";
import { html, renderPage } from "./page.ts";

const header = "device_id,joined_at";

/** Makes the file where there is none yet. */
async function createList(file: string): Promise<void> {
  await writeFile(file, `${header}\n`, { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

/** People may have edited it. */
const rowsOf = (list: string) => list.split(/\r?\n/).filter((row) => row.trim() !== "");
const deviceOf = (row: string) => row.split(",", 1)[0] ?? "";

/** Cookies know no ports: on localhost the gate's lie beside ours. Its device id is what stands before the day. */
const deviceIn = (cookie: string | undefined) => /^[\w-]{22}/.exec(cookie ?? "")?.[0];

export async function addBetaTesters(app: Hono<{ Bindings: NodeBindings }>, file: string): Promise<void> {
  await createList(file);

  app.use(betaTestersPath, etag());
  app.get(betaTestersPath, async (c) =>
    c.body(await readFile(file, "utf8"), 200, { "Content-Type": "text/csv; charset=utf-8" }),
  );

  app.get("/beta-testers", async (c) => {
    const [, ...rows] = rowsOf(await readFile(file, "utf8"));
    return c.html(
      await renderBetaTesters({ file, devices: rows.map(deviceOf), own: deviceIn(getCookie(c, "vst_did")) }),
    );
  });

  app.post("/beta-testers", async (c) => {
    const own = deviceIn(getCookie(c, "vst_did"));
    const { wish } = await c.req.parseBody();
    if (own !== undefined) {
      const [first = header, ...rows] = rowsOf(await readFile(file, "utf8"));
      const others = rows.filter((row) => deviceOf(row) !== own);
      const all = wish === "leave" ? others : [...others, `${own},${new Date().toISOString()}`];
      await writeFile(file, [first, ...all, ""].join("\n"));
    }
    return c.redirect("/beta-testers", 303);
  });
}

interface List {
  file: string;
  devices: readonly string[];
  /** Of the browser that asks; a newcomer has none. */
  own: string | undefined;
}

function renderBetaTesters({ file, devices, own }: List): Promise<string> {
  const isIn = own !== undefined && devices.includes(own);
  return renderPage({
    title: "Beta testers – Atlas Notes",
    name: "beta-testers",
    main: html`<p class="brand">Atlas Notes</p>
<h1>Beta testers</h1>
<p class="muted">Devices that see first what is new. The list is the file <code>${file}</code>; Vestibule fetches it every hour
from <a href="${betaTestersPath}">${betaTestersPath}</a> and keeps it as the cohort <code>coh_BetaTesters</code>.</p>
${
  devices.length === 0
    ? html`<p>Nobody is on it.</p>`
    : html`<ul>${devices.map((device) => html`<li><code>${device}</code>${device === own ? " – this browser" : ""}</li>`)}</ul>`
}
${
  own === undefined
    ? html`<p>This browser has no device id yet. <a href="/login">Open the sign-in page</a> once, then come back.</p>`
    : html`<form class="actions" method="post" action="/beta-testers">
<input type="hidden" name="wish" value="${isIn ? "leave" : "join"}">
<button class="button" type="submit">${isIn ? "Leave" : "Join with this browser"}</button>
<a class="button quiet" href="/">Back to the start</a></form>`
}`,
  });
}
