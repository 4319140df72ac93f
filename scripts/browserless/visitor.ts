/**
 * A visitor without a browser: navigates, follows redirects by hand, keeps cookies, fills in forms, and remembers every hop.
 * It speaks through `node:http` because `fetch` sets Sec-Fetch-Mode itself and would never look like a navigation.
 */
import { type Agent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { type CookieJar, createCookieJar } from "./cookie-jar.ts";
import { findForm } from "./form.ts";

/** A current desktop Chrome. */
export const chromeUserAgent =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36";

export const chromeClientHints = {
  "sec-ch-ua": '"Chromium";v="147", "Not)A;Brand";v="24", "Google Chrome";v="147"',
  "sec-ch-ua-mobile": "?0",
  "sec-ch-ua-platform": '"Linux"',
};

const chromeHeaders = {
  accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
  "accept-encoding": "gzip, deflate, br",
  "accept-language": "en-GB,en;q=0.9",
  ...chromeClientHints,
  "upgrade-insecure-requests": "1",
};

export interface Hop {
  method: string;
  url: string;
  status: number;
  /** The answer's; several Set-Cookie stay several (`getSetCookie`). */
  headers: Headers;
  /** What was sent, cookies included. */
  requestHeaders: Record<string, string>;
}

export interface Page extends Hop {
  body: string;
}

export interface VisitorOptions {
  userAgent?: string;
  /** Sent on every request; an empty value takes a default header away. */
  headers?: Record<string, string>;
  /** Whose connections it uses; each request has one of its own unless given. */
  agent?: Agent;
}

export interface GetOptions {
  headers?: Record<string, string>;
  /** Addresses beginning so are not asked for: the page is then the redirect that points there. */
  stopAt?: string;
}

export interface Visitor {
  readonly hops: readonly Hop[];
  readonly cookies: CookieJar;
  /** Where the visitor is; throws before the first `get`. */
  readonly page: Page;
  /** As typed into the address bar; a relative address is a link on the page. */
  get(url: string, options?: GetOptions): Promise<Page>;
  /** Fills in and sends the page's form: the one with all these fields; its other fields go along. */
  submit(fields: Record<string, string>, options?: GetOptions): Promise<Page>;
  /** Follows the link whose text this is. */
  click(text: string, options?: GetOptions): Promise<Page>;
}

export function createVisitor(visitorOptions: VisitorOptions = {}): Visitor {
  const { userAgent = chromeUserAgent, headers: own = {}, agent } = visitorOptions;
  const hops: Hop[] = [];
  const cookies = createCookieJar();
  let page: Page | undefined;

  interface Navigation {
    method: string;
    body?: string;
    from: string | undefined;
    options: GetOptions;
  }

  async function navigate(start: URL, { method, body, from, options }: Navigation): Promise<Page> {
    let [url, site] = [start, from === undefined ? "none" : relation(new URL(from), start)];
    for (let redirects = 0; redirects <= 20; redirects++) {
      const headers: Record<string, string> = {
        ...chromeHeaders,
        "user-agent": userAgent,
        "sec-fetch-dest": "document",
        "sec-fetch-mode": "navigate",
        "sec-fetch-site": site,
        "sec-fetch-user": "?1",
        ...(from === undefined ? {} : { referer: refererOf(new URL(from), url) }),
        ...(body === undefined
          ? {}
          : {
              "content-type": "application/x-www-form-urlencoded",
              origin: site === "same-origin" ? url.origin : "null",
            }),
        ...own,
        ...options.headers,
        cookie: cookies.headerFor(url),
      };
      const answer = await send(url, { method, headers, body, agent });
      cookies.store(url, answer.headers.getSetCookie());
      const { body: _, ...hop } = answer;
      hops.push(hop);
      page = answer;

      const location = answer.headers.get("location");
      if (location === null || answer.status < 300 || answer.status > 399) return answer;
      const next = new URL(location, url);
      if (options.stopAt !== undefined && next.href.startsWith(options.stopAt)) return answer;
      // Sec-Fetch-Site tells of the whole chain: once strayed, a redirect back home does not mend it.
      if (site !== "none") site = worse(site, relation(url, next));
      if (answer.status === 303 || (method === "POST" && answer.status < 303)) [method, body] = ["GET", undefined];
      url = next;
    }
    throw new Error(`more than 20 redirects from ${start.href}`);
  }

  const current = (): Page => {
    if (page === undefined) throw new Error("the visitor has not been anywhere yet");
    return page;
  };

  return {
    hops,
    cookies,
    get page() {
      return current();
    },
    get(address, options = {}) {
      const isTyped = URL.canParse(address);
      const from = isTyped ? undefined : current().url;
      return navigate(new URL(address, from), { method: "GET", from, options });
    },
    submit(fields, options = {}) {
      const { url: from, body: markup } = current();
      const { action, method, values } = findForm(markup, Object.keys(fields));
      const target = new URL(action || from, from);
      const data = new URLSearchParams({ ...values, ...fields });
      if (method === "POST") return navigate(target, { method, body: data.toString(), from, options });
      target.search = data.toString();
      return navigate(target, { method, from, options });
    },
    click(text, options = {}) {
      const { url: from, body: markup } = current();
      for (const [, attributes = "", label = ""] of markup.matchAll(/<a\b([^>]*)>(.*?)<\/a>/gs)) {
        const href = /\bhref="([^"]*)"/.exec(attributes)?.[1];
        if (label.trim() === text && href !== undefined) {
          return navigate(new URL(href.replaceAll("&amp;", "&"), from), { method: "GET", from, options });
        }
      }
      throw new Error(`no link “${text}” on ${from}`);
    },
  };
}

interface Sending {
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
  agent: Agent | undefined;
}

function send(url: URL, { method, headers, body, agent }: Sending): Promise<Page> {
  const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ""));
  if (body !== undefined) sent["content-length"] = String(Buffer.byteLength(body));
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers: sent, agent: agent ?? false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const received = toHeaders(answer.headersDistinct);
        resolve({
          method,
          url: url.href,
          status: answer.statusCode ?? 0,
          headers: received,
          requestHeaders: sent,
          body: decode(Buffer.concat(chunks), received.get("content-encoding")),
        });
      });
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      // Kept open, and closed by the other side just as it was to be used: as browsers do, the next one is tried.
      if (outgoing.reusedSocket && error.code === "ECONNRESET") resolve(send(url, { method, headers, body, agent }));
      else reject(error);
    });
    outgoing.end(body);
  });
}

function toHeaders(distinct: NodeJS.Dict<string[]> | IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(distinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  return headers;
}

function decode(bytes: Buffer, encoding: string | null): string {
  const decoders: Record<string, (bytes: Buffer) => Buffer> = {
    gzip: gunzipSync,
    br: brotliDecompressSync,
    deflate: inflateSync,
  };
  const decoder = decoders[encoding ?? ""];
  return (decoder === undefined || bytes.length === 0 ? bytes : decoder(bytes)).toString("utf8");
}

type Site = "none" | "same-origin" | "same-site" | "cross-site";

/** Sites are compared by host name, which is right for localhost and for hosts that share no parent. */
function relation(from: URL, to: URL): Site {
  if (from.origin === to.origin) return "same-origin";
  return from.protocol === to.protocol && from.hostname === to.hostname ? "same-site" : "cross-site";
}

function worse(one: Site, other: Site): Site {
  const order: Site[] = ["none", "same-origin", "same-site", "cross-site"];
  return order.indexOf(one) > order.indexOf(other) ? one : other;
}

/** The browsers' default policy, strict-origin-when-cross-origin. */
function refererOf(from: URL, to: URL): string {
  return from.origin === to.origin ? from.href : `${from.origin}/`;
}
