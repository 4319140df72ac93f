/** Somebody at the dashboard of a tenant of its own, without a browser: support for tests in workerd. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import worker from "../../src/worker.ts";
import { adminHost, type Client, createClient, rootToken } from "../api/client.ts";

export interface Shown {
  status: number;
  headers: Headers;
  text: string;
}

export interface Visitor {
  /** The management API of the same tenant. */
  api: Client;
  /** As the browser holds it: `name=value`, or empty. */
  cookie: string;
  ask(path: string, init: RequestInit, headers?: Record<string, string>): Promise<Shown>;
  look(path: string, headers?: Record<string, string>): Promise<Shown>;
  /** Sends a form with the session's key, as a page of ours would. */
  post(path: string, fields?: Record<string, string>, headers?: Record<string, string>): Promise<Shown>;
  signIn(token?: string, fields?: Record<string, string>): Promise<Shown>;
}

export const origin = `https://${adminHost}`;

export function createVisitor(api: Client = createClient()): Visitor {
  /** Of the session's forms. */
  let key: string | undefined;

  async function ask(path: string, init: RequestInit, headers: Record<string, string> = {}): Promise<Shown> {
    const request = new Request(new URL(path, origin), {
      redirect: "manual",
      ...init,
      headers: { ...(visitor.cookie ? { cookie: visitor.cookie } : {}), ...headers },
    });
    const ctx = createExecutionContext();
    const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], api.env, ctx);
    const shown = { status: response.status, headers: response.headers, text: await response.text() };
    await waitOnExecutionContext(ctx);
    const given = shown.headers.get("set-cookie");
    if (given !== null) visitor.cookie = /Max-Age=0/.test(given) ? "" : (given.split(";")[0] ?? "");
    return shown;
  }

  async function send(path: string, fields: Record<string, string>, headers: Record<string, string>): Promise<Shown> {
    const body = new URLSearchParams(fields).toString();
    const type = { "content-type": "application/x-www-form-urlencoded", "content-length": String(body.length) };
    return ask(path, { method: "POST", body }, { origin, "sec-fetch-site": "same-origin", ...type, ...headers });
  }

  const visitor: Visitor = {
    api,
    cookie: "",
    ask,
    look: (path, headers = {}) => ask(path, {}, headers),
    async post(path, fields = {}, headers = {}) {
      key ??= /name="_key" value="([^"]+)"/.exec((await visitor.look("/_vestibule/segments")).text)?.[1];
      return send(path, { _key: key ?? "", ...fields }, headers);
    },
    signIn(token = rootToken, fields = {}) {
      key = undefined;
      return send("/_vestibule/sign-in", { token, ...fields }, {});
    },
  };
  return visitor;
}
