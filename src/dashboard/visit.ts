/** A request to a page, and what a page answers. */
import type { Child } from "hono/jsx";
import type { Tenant } from "../model/tenant.ts";
import type { Scope } from "../model/token.ts";
import type { Api, Caller } from "./api.ts";
import type { Reader } from "./parts/reader.tsx";
import type { Session } from "./session.ts";

/** What this isolate knows of stores and of what it has read, as `/_vestibule/health` tells it. */
export interface Health {
  circuits: Readonly<Record<string, string>>;
  snapshots: Readonly<Record<string, { version: number | null; age_seconds: number }>>;
}

export interface Visit {
  url: URL;
  params: Readonly<Record<string, string>>;
  /** What was posted; empty for a page that is only looked at. */
  form: URLSearchParams;
  api: Api;
  caller: Caller;
  session: Session;
  /** By what is deployed, not by what is configured. */
  tenant: Pick<Tenant, "id" | "hosts" | "overrides" | "active_experiment_limit">;
  /** All that this session may go to. */
  tenants: readonly string[];
  reader: Reader;
  health: Health | null;
  nowMs: number;
  may(verb: "read" | "create" | "update" | "delete"): boolean;
  /** For `override_token`, where the tenant's policy asks for one. */
  signOverride(experiment: string, target: { variation?: string | null; segment?: string | null }): Promise<string>;
}

export interface Page {
  title: string;
  body: Child;
  /** 200 unless said otherwise. */
  status?: number;
  /** Under assets, beside what every page has. */
  plots?: boolean;
}

/** A page, a way on (303), or anything else as it is. */
export type Reply = Page | { to: string } | Response;

export type Handler = (visit: Visit) => Reply | Promise<Reply>;

export function mayOf(scopes: readonly Scope[]): Visit["may"] {
  return (verb) => scopes.includes(`${verb}:experimentation`);
}
