/**
 * The management API as the pages use it: asked as the session's token may. Scopes, rules, messages, rates
 * and the change log are the API's own.
 */
import type { Scope } from "../model/token.ts";

export interface Ask {
  method: string;
  /** Under the API's own path, with its query. */
  path: string;
  token: string;
  /** Null: whichever the address is about. */
  tenant: string | null;
  body?: { type: string; content: string };
}

export interface Answer {
  status: number;
  text: string;
}

/** Wired to the API by the entry. */
export type Call = (ask: Ask) => Promise<Answer>;

/** What the API said no with. */
export interface Refusal {
  status: number;
  code: string;
  message: string;
}

/** A refusal of what a page needs to be shown at all. */
export class Refused extends Error implements Refusal {
  readonly status: number;
  readonly code: string;

  constructor({ status, code, message }: Refusal) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export type Outcome<Body> = { ok: true; body: Body } | { ok: false; refusal: Refusal };

export interface Caller {
  /** `root`, `token:<id>` or `jwt:<sub>`. */
  actor: string;
  scopes: readonly Scope[];
  tenant: string;
}

export interface Api {
  /** The body of a success. @throws {Refused} */
  get<Body>(path: string): Promise<Body>;
  /** Null where there is no such thing. @throws {Refused} */
  find<Body>(path: string): Promise<Body | null>;
  /** Items of a list that comes in pages, the first `most` of them. @throws {Refused} */
  all<Item>(path: string, name: string, most?: number): Promise<{ items: Item[]; isWhole: boolean }>;
  send<Body>(method: string, path: string, body?: unknown): Promise<Outcome<Body>>;
  /** The same of what is no JSON. */
  upload<Body>(method: string, path: string, body: { type: string; content: string }): Promise<Outcome<Body>>;
}

const pageSize = 50;

export function createApi(call: Call, { token, tenant }: { token: string; tenant: string | null }): Api {
  async function ask<Body>(method: string, path: string, body?: Ask["body"]): Promise<Outcome<Body>> {
    const answer = await call({ method, path, token, tenant, ...(body === undefined ? {} : { body }) });
    const json = answer.text === "" ? null : JSON.parse(answer.text);
    if (answer.status < 300) return { ok: true, body: json };
    const { message = "The API gave no answer.", errorCode = "internal_error" } = json ?? {};
    return { ok: false, refusal: { status: answer.status, code: errorCode, message } };
  }

  async function get<Body>(path: string): Promise<Body> {
    const outcome = await ask<Body>("GET", path);
    if (outcome.ok) return outcome.body;
    throw new Refused(outcome.refusal);
  }

  return {
    get,
    async find<Body>(path: string) {
      try {
        return await get<Body>(path);
      } catch (error) {
        if (error instanceof Refused && error.status === 404) return null;
        throw error;
      }
    },
    async all<Item>(path: string, name: string, most = 200) {
      const items: Item[] = [];
      let from: string | undefined = "";
      while (from !== undefined && items.length < most) {
        const query: string = `${path.includes("?") ? "&" : "?"}take=${pageSize}${from && `&from=${from}`}`;
        const page: Record<string, Item[]> & { next?: string } = await get(`${path}${query}`);
        items.push(...(page[name] ?? []));
        from = page.next;
      }
      return { items, isWhole: from === undefined };
    },
    send: (method, path, body) =>
      ask(method, path, body === undefined ? undefined : { type: "application/json", content: JSON.stringify(body) }),
    upload: ask,
  };
}
