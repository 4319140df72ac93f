/** A client of the management API, for commands and tests. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Snapshot } from "../src/model/snapshot.ts";
import type { Configuration, ConfigurationFile } from "../src/model/transfer/configuration-schema.ts";
import { root } from "./paths.ts";

/** What an import changes, or would change. */
export interface ImportChange {
  action: "create" | "update" | "delete";
  resource_type: string;
  id: string;
  name: string;
  fields: string[];
}

export interface ImportAnswer {
  dry_run: boolean;
  changes: ImportChange[];
  problems: { code: string; path: string; message: string }[];
  warnings: { path: string; message: string }[];
  /** New ones; the key of a server deployment is shown this once. */
  deployments: { name: string; type: string; key: string }[];
}

export interface ImportOptions {
  dryRun?: boolean;
  prune?: boolean;
  format?: string;
}

export interface Publication {
  /** 0 before anything was configured. */
  version: number;
  pending: object | null;
  snapshot: Snapshot | null;
}

export interface Management {
  /** The API's address, without a trailing slash. */
  url: string;
  /** The body of a success, parsed. @throws {Refusal} */
  // biome-ignore lint/suspicious/noExplicitAny: answers are read field by field.
  send(method: string, path: string, body?: unknown): Promise<any>;
  import(document: ConfigurationFile | unknown, options?: ImportOptions): Promise<ImportAnswer>;
  export(): Promise<Configuration>;
}

/** An answer that is no success, in its own words. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string | undefined;

  constructor(status: number, { message, errorCode }: { message?: string; errorCode?: string }) {
    super(`${status}${errorCode ? ` ${errorCode}` : ""}: ${message ?? "no answer of the management API"}`);
    this.status = status;
    this.code = errorCode;
  }
}

/** @param options.url of the Worker, on one of its admin hosts */
export function createManagement(options: { url: string; token: string; tenant?: string }): Management {
  const { token, tenant } = options;
  const url = `${options.url.replace(/\/+$/, "")}/api/v2/experimentation`;
  const headers = {
    authorization: `Bearer ${token}`,
    ...(tenant === undefined ? {} : { "x-vestibule-tenant": tenant }),
  };
  const send: Management["send"] = async (method, path, body) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "manual",
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    if (!response.ok || (text !== "" && !isJson)) throw new Refusal(response.status, isJson ? JSON.parse(text) : {});
    return text === "" ? undefined : JSON.parse(text);
  };
  return {
    url,
    send,
    import(document, { dryRun = false, prune = false, format } = {}) {
      const query = new URLSearchParams({
        ...(dryRun ? { dry_run: "true" } : {}),
        ...(prune ? { prune: "true" } : {}),
        ...(format === undefined ? {} : { format }),
      });
      return send("POST", `/import?${query}`, document);
    },
    export: () => send("GET", "/export"),
  };
}

const askAgainMs = 50;

/** Waits until KV has what was committed; gives up after a while, since KV may be down. */
export async function untilPublished({ send }: Management, giveUpMs = 5_000): Promise<Publication> {
  const giveUpAt = Date.now() + giveUpMs;
  for (;;) {
    const publication: Publication = await send("GET", "/snapshot");
    if (publication.pending === null || Date.now() > giveUpAt) return publication;
    await new Promise((resolve) => setTimeout(resolve, askAgainMs));
  }
}

/** For `parseArgs`. */
export const connectionOptions = {
  url: { type: "string" },
  token: { type: "string" },
  tenant: { type: "string" },
} as const;

export const connectionUsage = `  --url <address>      of the Worker, on an admin host (http://localhost:$PORT, which is 8787 unless set)
  --token <token>      ($ADMIN_TOKEN, or the one that npm start keeps in $STATE_DIR/secrets.json)
  --tenant <name>      where a host serves several`;

/** What is given, or where `npm start` is and lets one in. @throws where there is no token */
export async function readConnection(values: {
  url?: string;
  token?: string;
}): Promise<{ url: string; token: string }> {
  const { url = `http://localhost:${process.env.PORT || 8787}` } = values;
  const token = values.token ?? (process.env.ADMIN_TOKEN || (await readKeptToken()));
  return { url: url.replace(/\/+$/, ""), token };
}

/** @throws where there is no token */
export async function connect(values: { url?: string; token?: string; tenant?: string }): Promise<Management> {
  const { tenant } = values;
  return createManagement({ ...(await readConnection(values)), ...(tenant === undefined ? {} : { tenant }) });
}

async function readKeptToken(): Promise<string> {
  const file = join(resolve(root, process.env.STATE_DIR || ".state"), "secrets.json");
  try {
    return JSON.parse(await readFile(file, "utf8")).ADMIN_TOKEN;
  } catch (error) {
    throw new Error(`No token: give --token, set ADMIN_TOKEN, or start once with npm start (${file}).`, {
      cause: error,
    });
  }
}

/** Runs a command: what it throws is told in a line, and the process ends with the code it answers. */
export async function runCommand(command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command();
  } catch (error) {
    const { code, cause } = error as { code?: string; cause?: { code?: string } };
    if (code?.startsWith("ERR_PARSE_ARGS")) process.exitCode = 2;
    else process.exitCode = 1;
    const reason = cause?.code === undefined ? "" : ` (${cause.code})`;
    console.error(error instanceof Error ? `${error.message}${reason}` : error);
  }
}
