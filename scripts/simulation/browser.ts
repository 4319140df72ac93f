/** People who come to the gate with a browser: to the authorize address, on to the page, and through its form. */
import { createHash } from "node:crypto";
import type { Agent } from "node:http";
import { createVisitor, type Page, type Visitor } from "../browserless/visitor.ts";
import type { Person } from "./people.ts";

/** Where people sign in, and how. */
export interface Entrance {
  /** The gate's address as visitors have it. */
  url: string;
  clientId: string;
  /** Nobody is sent there: the log-in is over. */
  redirectUri: string;
  password: string;
  /** The cookie whose value is the device's id, where the tenant has one of its own. */
  deviceCookie?: string;
  agent: Agent;
}

export interface Browser {
  readonly visitor: Visitor;
  /**
   * Begins a log-in.
   * @returns the variation as the page says; undefined where it shows none, or there was no page
   * @throws where it leads neither to a page nor back to the application
   */
  open(): Promise<string | undefined>;
  /** Fills the form in as the person does; of whoever leaves, or was sent back at once, nothing is left to do. */
  finish(): Promise<void>;
}

export function createBrowser(entrance: Entrance, person: Person): Browser {
  const { url, clientId, redirectUri, password, deviceCookie, agent } = entrance;
  const { device, id, does } = person;
  const visitor = createVisitor({ userAgent: device.userAgent, headers: device.headers, agent });
  if (deviceCookie !== undefined) visitor.cookies.set(url, deviceCookie, id);
  const stopAt = redirectUri;

  /** What nobody meant to happen is no fault to be diagnosed. */
  function expectSound({ status, url: at, headers }: Page): void {
    const isBack = headers.get("location")?.startsWith(redirectUri) === true;
    if (status === 200 || isBack || (status === 400 && does === "mistypes")) return;
    throw new Error(
      `${new URL(at).pathname} answers ${status}, which is neither a page nor the way back to ${redirectUri}`,
    );
  }

  return {
    visitor,
    async open() {
      const query = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirectUri,
        response_type: "code",
        scope: "openid email",
        state: id,
        code_challenge: createHash("sha256").update(id).digest("base64url"),
        code_challenge_method: "S256",
        ...(does === "signs_up" ? { prompt: "create" } : {}),
      });
      const page = await visitor.get(`${url}/auth?${query}`, { stopAt });
      expectSound(page);
      return /<html[^>]* data-variation-id="([^"]*)"/.exec(page.body)?.[1];
    },
    async finish() {
      if (visitor.page.status !== 200 || does === "leaves") return;
      const email = `${id}@people.example`;
      expectSound(await visitor.submit({ email, password: does === "mistypes" ? "mistyped" : password }, { stopAt }));
    },
  };
}
