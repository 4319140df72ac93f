/** Cookies as a browser keeps them (RFC 6265 §5), as far as one visitor on a few hosts needs it. Ports do not part them. */

interface Cookie {
  name: string;
  value: string;
  host: string;
  /** Set with a Domain attribute: sub-domains get it too. */
  isShared: boolean;
  path: string;
  secure: boolean;
  expiresAtMs: number;
}

export interface CookieJar {
  store(url: URL, setCookies: string[]): void;
  /** The Cookie header's value, empty when there is nothing to send. */
  headerFor(url: URL): string;
  get(url: URL | string, name: string): string | undefined;
  /** As somebody who edits their own cookies: for the whole host. */
  set(url: URL | string, name: string, value: string): void;
  clear(): void;
}

export function createCookieJar(): CookieJar {
  let cookies: Cookie[] = [];

  const put = (cookie: Cookie) => {
    cookies = cookies.filter(
      ({ name, host, path }) => name !== cookie.name || host !== cookie.host || path !== cookie.path,
    );
    if (cookie.expiresAtMs > Date.now()) cookies.push(cookie);
  };

  /** Longer paths first, as §5.4 wants it. */
  const matching = (url: URL) =>
    cookies
      .filter(
        ({ host, isShared, path, secure, expiresAtMs }) =>
          (url.hostname === host || (isShared && url.hostname.endsWith(`.${host}`))) &&
          matchesPath(url.pathname, path) &&
          (!secure || isTrustworthy(url)) &&
          expiresAtMs > Date.now(),
      )
      .sort((one, other) => other.path.length - one.path.length);

  return {
    store(url, setCookies) {
      for (const line of setCookies) {
        const cookie = parseSetCookie(line, url);
        if (cookie !== undefined) put(cookie);
      }
    },
    headerFor: (url) =>
      matching(url)
        .map(({ name, value }) => `${name}=${value}`)
        .join("; "),
    get: (url, wanted) => matching(new URL(url)).find(({ name }) => name === wanted)?.value,
    set(url, name, value) {
      const host = new URL(url).hostname;
      cookies = cookies.filter((cookie) => cookie.name !== name || cookie.host !== host);
      put({ name, value, host, isShared: false, path: "/", secure: false, expiresAtMs: Number.POSITIVE_INFINITY });
    },
    clear() {
      cookies = [];
    },
  };
}

function parseSetCookie(line: string, url: URL): Cookie | undefined {
  const [pair = "", ...rest] = line.split(";").map((part) => part.trim());
  const split = pair.indexOf("=");
  if (split < 1) return undefined;
  const [name, value] = [pair.slice(0, split), pair.slice(split + 1)];
  const attributes = new Map(
    rest.map((part): [string, string] => {
      const [key = "", ...values] = part.split("=");
      return [key.toLowerCase(), values.join("=")];
    }),
  );
  const domain = attributes.get("domain")?.replace(/^\./, "").toLowerCase();
  const host = domain || url.hostname;
  if (url.hostname !== host && !url.hostname.endsWith(`.${host}`)) return undefined;
  const given = attributes.get("path") ?? "";
  const path = given.startsWith("/") ? given : url.pathname.replace(/\/[^/]*$/, "") || "/";
  const secure = attributes.has("secure");
  if (secure && !isTrustworthy(url)) return undefined;
  // RFC 6265bis §4.1.3.2: such a name promises how it was set.
  if (name.startsWith("__Host-") && (!secure || domain !== undefined || given !== "/")) return undefined;
  return { name, value, host, isShared: domain !== undefined, path, secure, expiresAtMs: expiryOf(attributes) };
}

function expiryOf(attributes: ReadonlyMap<string, string>): number {
  const maxAge = attributes.get("max-age");
  if (maxAge !== undefined) return Date.now() + Number(maxAge) * 1000;
  const expires = Date.parse(attributes.get("expires") ?? "");
  return Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires;
}

function matchesPath(requested: string, path: string): boolean {
  return requested === path || requested.startsWith(path.endsWith("/") ? path : `${path}/`);
}

/** Browsers treat this machine as if it were reached over https. */
function isTrustworthy(url: URL): boolean {
  return url.protocol === "https:" || url.hostname === "localhost" || url.hostname === "127.0.0.1";
}
