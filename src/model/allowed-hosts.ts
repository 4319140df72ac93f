/**
 * Which addresses may be fetched: https, at public names that the deployment lists. Names are not resolved here: on
 * Cloudflare a Worker reaches no private network, and whoever lists a name answers for where it leads.
 */

const privateName = /(^|\.)(localhost|local|internal)\.?$/;

export interface AllowedHosts {
  /** `host`, `host:port`, `*.domain` or an origin, as `URL` writes them. */
  allowed: readonly string[];
  /** One for each entry that is none of these. */
  faults: readonly string[];
}

/**
 * Reads a list such as `data.example.com, *.example.org, http://127.0.0.1:9000`. An entry with a scheme is that origin and
 * no other, and the only way to plain http, to addresses in digits and to private names.
 */
export function parseAllowedHosts(text: string): AllowedHosts {
  const allowed: string[] = [];
  const faults: string[] = [];
  for (const given of text.split(",")) {
    const entry = given.trim();
    if (entry === "") continue;
    const known = entry.includes("://") ? parseOrigin(entry) : parseHost(entry);
    if (known !== null) allowed.push(known);
    else {
      faults.push(
        `${JSON.stringify(entry)} must be a public host such as "data.example.com", "data.example.com:8443" or "*.example.com"; any other is spelled out with scheme, host and port, such as "http://127.0.0.1:9000"`,
      );
    }
  }
  return { allowed, faults };
}

function parseOrigin(entry: string): string | null {
  const url = URL.canParse(entry) ? new URL(entry) : null;
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  return isOrigin ? url.origin : null;
}

function parseHost(entry: string): string | null {
  const [, wildcard = "", host] = /^(\*\.)?([^\s/\\?#@*:]+(?::\d+)?)$/.exec(entry) ?? [];
  if (host === undefined || !URL.canParse(`https://${host}`)) return null;
  const url = new URL(`https://${host}`);
  return findPrivate(url.hostname) === null ? `${wildcard}${url.host}` : null;
}

/**
 * Why this address may not be asked; null when it may. For people, and without anything secret of the address.
 * @param setting where the deployment lists `allowed`
 */
export function findAddressFault(text: string, allowed: readonly string[], setting: string): string | null {
  if (!URL.canParse(text)) return 'must be an address such as "https://data.example.com/cohort.csv"';
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return "must not hold a user name or password; those are credentials";
  if (allowed.includes(url.origin)) return null;
  if (url.protocol !== "https:") return `must begin with https:, not ${url.protocol}`;
  const fault = findPrivate(url.hostname);
  if (fault !== null) return fault;
  if (allowed.some((entry) => isOf(entry, url))) return null;
  return `the host ${url.host} is not in ${setting}${allowed.length === 0 ? ", which is empty" : ""}`;
}

/** Where a message says something happened: without the query, which may hold a signature. */
export function addressOf(text: string): string {
  if (!URL.canParse(text)) return "the address";
  const { protocol, host, pathname } = new URL(text);
  return `${protocol}//${host}${pathname}`;
}

function findPrivate(hostname: string): string | null {
  // In `URL`, IPv4 in any notation has become four numbers, and IPv6 has brackets.
  if (hostname.startsWith("[") || /^[\d.]+$/.test(hostname)) return `must name a host; ${hostname} is an IP address`;
  const isPrivate = privateName.test(hostname) || !hostname.includes(".");
  return isPrivate ? `must name a public host; ${hostname} is a private name` : null;
}

/** An entry without a port stands for https's own. */
function isOf(entry: string, { hostname, port }: URL): boolean {
  const [name = "", entryPort = ""] = entry.split(":");
  if (port !== entryPort) return false;
  return name.startsWith("*.") ? hostname.endsWith(name.slice(1)) : hostname === name;
}
