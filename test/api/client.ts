/** A client of the management API, in front of a tenant of its own: support for tests in workerd. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { managementPath } from "../../src/api/management/address.ts";
import type { Control } from "../../src/control/control.ts";
import { snapshotKey } from "../../src/model/snapshot.ts";
import worker from "../../src/worker.ts";
import { bindings, type Env, joined } from "../all-workers.ts";
import { cookieKey } from "../gate/stage.ts";

export const rootToken = "a-root-token-for-tests";
export const adminHost = "admin.example.com";

// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field.
type Json = any;

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed; undefined when there is no body. */
  body: Json;
  text: string;
}

export interface Client {
  tenant: string;
  env: Env;
  /** One request with the root token; `body` as JSON unless it is text or bytes. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The same, the status checked: the body of a success. */
  get(path: string): Promise<Json>;
  post(path: string, body?: unknown): Promise<Json>;
  patch(path: string, body: unknown): Promise<Json>;
  delete(path: string): Promise<void>;
  /** The tenant's control plane, for `runInDurableObject` and its alarm. */
  control(): DurableObjectStub<Control>;
  /** The snapshot that KV holds, as JSON. */
  published(): Promise<Json>;
}

let count = 0;

/** @param options.tenant the tenant's settings; its id is new each time, so that every client begins with nothing */
export function createClient(
  options: { tenant?: Record<string, unknown>; vars?: Partial<Record<keyof Env, unknown>>; token?: string } = {},
): Client {
  const tenant = `tenant-${++count}-${crypto.randomUUID().slice(0, 8)}`;
  const env = joined({
    ...bindings,
    ADMIN_HOSTS: adminHost,
    ADMIN_TOKEN: rootToken,
    COOKIE_KEYS: cookieKey("k1"),
    STAMP_KEY: "s".repeat(43),
    TENANTS: JSON.stringify({ [tenant]: { hosts: [adminHost], origin: "https://id.example.com", ...options.tenant } }),
    ...options.vars,
  } as Env);
  const token = options.token ?? rootToken;

  async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const isRaw = typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream;
    const request = new Request(`https://${adminHost}${managementPath}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined || isRaw ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isRaw ? (body as BodyInit) : JSON.stringify(body) }),
    });
    const ctx = createExecutionContext();
    const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], env, ctx);
    const text = await response.text();
    await waitOnExecutionContext(ctx);
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== "" ? JSON.parse(text) : undefined,
      text,
    };
  }
  async function expectOk(method: string, path: string, body?: unknown): Promise<Json> {
    const answer = await send(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }
  return {
    tenant,
    env,
    send,
    get: (path) => expectOk("GET", path),
    post: (path, body) => expectOk("POST", path, body),
    patch: (path, body) => expectOk("PATCH", path, body),
    delete: async (path) => void (await expectOk("DELETE", path)),
    control() {
      const namespace = env.CONTROL as unknown as DurableObjectNamespace<Control>;
      return namespace.get(namespace.idFromName(tenant));
    },
    published: () => env.SNAPSHOTS.get(snapshotKey(tenant), "json"),
  };
}
