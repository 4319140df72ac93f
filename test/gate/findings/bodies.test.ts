import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { clearStores, createStage, host, publish, type Stage } from "../stage.ts";
import { appCallback, countedOf, createJourney, outcomesOf } from "./journey.ts";

let stage: Stage;
beforeEach(async () => {
  await clearStores();
  await publish();
  stage = createStage();
});
afterEach(() => vi.unstubAllGlobals());

const encoder = new TextEncoder();
const html = { "content-type": "text/html; charset=utf-8" };

/** A login whose response may be a form, so that its pages are looked at. */
async function beginFormPost() {
  const journey = createJourney(stage);
  await journey.go("/authorize?client_id=app&response_type=code&state=1&response_mode=form_post");
  return journey;
}
const form = (fields: string, action = "https://app.example.com/cb") =>
  `<html><body onload="document.forms[0].submit()"><form method=post action="${action}">${fields}</form></body></html>`;
const code = '<input type="hidden" name="code" value="c"><input name="state" value="1">';

/** @param pieces of the body; null stands for an end that never comes */
function slowly(pieces: readonly (Uint8Array | null)[], afterMs = 0): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at >= pieces.length) return controller.close();
      const piece = pieces[at++];
      if (!piece) return new Promise(() => {});
      if (at > 1 && afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
      controller.enqueue(piece);
    },
  });
}

describe("a page that posts itself to the application", () => {
  it.each([
    ["in one piece", [encoder.encode(form(code))]],
    ["byte by byte", [...encoder.encode(form(code))].map((byte) => Uint8Array.of(byte))],
    ["after long scripts", [encoder.encode(`<script>${"x".repeat(20_000)}</script>${form(code)}`)]],
  ])("ends the login, with the bytes as they came: %s", async (_, pieces) => {
    const journey = await beginFormPost();
    const { response } = await journey.post("/login", () => new Response(slowly(pieces), { headers: html }));
    const sent = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(sent);
    expect(countedOf(stage)).toEqual(["assignment", "auth s", "exposure"]);
  });

  it("ends it where it posts to an application on the same host", async () => {
    const journey = createJourney(stage);
    const redirectUri = encodeURIComponent(`https://${host}/app/cb`);
    const start = "/authorize?client_id=app&response_type=code&state=1&response_mode=form_post";
    await journey.go(`${start}&redirect_uri=${redirectUri}`);
    await journey.post("/login", () => new Response(form(code, "/app/cb"), { headers: html }));
    expect(countedOf(stage)).toEqual(["assignment", "auth s", "exposure"]);
  });

  it.each([
    ["the provider itself", form(code, "/login/callback")],
    ["another login's state", form(code.replace('"1"', '"9"'))],
    ["nowhere in particular", form(code, "")],
  ])("does not end it where it posts to %s", async (_, text) => {
    const journey = await beginFormPost();
    const { response } = await journey.post("/login", () => new Response(text, { headers: html }));
    expect(await response.text()).toBe(text);
    expect(countedOf(stage)).toEqual(["assignment", "exposure"]);
  });
});

describe("a SAML response that a page posts", () => {
  const status = (name: string) => btoa(`<Status Value="urn:oasis:names:tc:SAML:2.0:status:${name}"/>`);
  /** As OpenSAML's HTMLEncoder does. */
  const escapeAll = (text: string) =>
    text.replace(/[^a-z0-9]/gi, (character) => `&#x${character.charCodeAt(0).toString(16)};`);
  const responseForm = (value: string, { action = "https://sp.example.com/acs", attributes = "" } = {}) =>
    `<form ${attributes} action="${action}" method="post"><input data-name="x" name="SAMLResponse" value="${value}"></form>`;

  it.each([
    ["as it is", responseForm(status("Success")), "s"],
    ["escaped", responseForm(escapeAll(status("Success")), { action: escapeAll("https://sp.example.com/acs") }), "s"],
    ["escaped, refused", responseForm(escapeAll(status("AuthnFailed"))), "f"],
    [
      "escaped in decimal",
      responseForm(status("Responder").replace(/[+/=]/g, (one) => `&#${one.charCodeAt(0)};`)),
      "f",
    ],
    ["a script's attributes", responseForm("x", { attributes: 'data-action="load->form#submit"' }), "s"],
    ["after a form in a comment", `<!-- <form action="/old"></form> -->${responseForm("x")}`, "s"],
    ["after a form in a script", `<script>const a = '<form action="/old">';</script>${responseForm("x")}`, "s"],
    [
      "after the language's form",
      `<form action="/language"><input name="lang" value="en"></form>${responseForm(status("AuthnFailed"))}`,
      "f",
    ],
    ["in markup that cannot be parsed", `${responseForm("x")}<select><script></script></select>`, "s"],
  ])("ends the login as it says: %s", async (_, text, outcome) => {
    const journey = createJourney(stage);
    await journey.go("/login?SAMLRequest=x&RelayState=1");
    await journey.post("/login", () => new Response(text, { headers: html }));
    expect(outcomesOf(stage)).toEqual([outcome]);
  });
});

describe("a body that is looked at", () => {
  const huge = new Uint8Array(300_000).map((_, index) => index % 251);

  it.each([
    ["huge", () => new Response(huge, { headers: html }), huge],
    [
      "no UTF-8",
      () => new Response(Uint8Array.of(255, 254, 0, 195, 40), { headers: html }),
      Uint8Array.of(255, 254, 0, 195, 40),
    ],
    ["empty", () => new Response("", { headers: html }), new Uint8Array()],
    [
      "in an encoding that nobody knows",
      () =>
        new Response(huge, { headers: { ...html, "content-encoding": "zstd" }, encodeBody: "manual" } as ResponseInit),
      huge,
    ],
    ["a part", () => new Response(huge, { status: 206, headers: html }), huge],
    ["none at all: 204", () => new Response(null, { status: 204, headers: html }), new Uint8Array()],
    ["none at all: 304", () => new Response(null, { status: 304, headers: html }), new Uint8Array()],
  ])("arrives as it came: %s", async (_, answer, bytes) => {
    const journey = await beginFormPost();
    const origin = answer();
    const { response } = await journey.post("/login", answer);
    expect(response.status).toBe(origin.status);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
  });

  it("that never ends is passed on as far as it came, soon", async () => {
    const journey = await beginFormPost();
    const pieces = [encoder.encode("<html>"), null];
    const { response, elapsedMs } = await journey.post("/login", () => new Response(slowly(pieces), { headers: html }));
    expect(elapsedMs).toBeLessThan(900);
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("<html>");
    await reader?.cancel();
  });

  it("that comes slowly arrives whole", async () => {
    const journey = await beginFormPost();
    const pieces = ["<html>", "<body>", "text"].map((text) => encoder.encode(text));
    const { response } = await journey.post("/login", () => new Response(slowly(pieces, 250), { headers: html }));
    expect(await response.text()).toBe("<html><body>text");
  });

  it("that breaks off breaks off for the client as well", async () => {
    const journey = await beginFormPost();
    const broken = () =>
      new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(encoder.encode("<html>")),
        pull: (controller) => controller.error(new Error("connection lost")),
      });
    const { response } = await journey.post("/login", () => new Response(broken(), { headers: html }));
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });

  it("of a page's call is JSON or is not looked at", async () => {
    const journey = createJourney(stage);
    await journey.go("/authorize?client_id=app&response_type=code&state=1");
    for (const text of ['{"url":', "[]", "null", '"x"', `{"url":"${"x".repeat(50_000)}"}`]) {
      const headers = { "content-type": "application/json" };
      const { response } = await journey.call("/api/sign-in", () => new Response(text, { headers }));
      expect(await response.text()).toBe(text);
    }
    const stream = { "content-type": "text/event-stream" };
    const { elapsedMs } = await journey.call("/api/events", () => new Response(slowly([null]), { headers: stream }));
    expect(elapsedMs).toBeLessThan(150);
    await journey.call("/api/sign-in", () => Response.json({ data: { url: appCallback } }));
    expect(countedOf(stage)).toEqual(["assignment", "auth s", "exposure"]);
  });
});

it("a page that needs no look is not waited for", async () => {
  const journey = createJourney(stage);
  const { elapsedMs, response } = await journey.go("/login", () => new Response(slowly([null]), { headers: html }));
  expect(elapsedMs).toBeLessThan(150);
  await response.body?.cancel();
});
