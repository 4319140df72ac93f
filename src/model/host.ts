/**
 * Hosts in one spelling, so that a request and a setting are compared by what they mean: in lower case, in punycode,
 * without a trailing dot and without the port that the scheme has anyway.
 */

/** Nearly every host that arrives is spelled like this already. */
const canonicalHost = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;
const hostAndPort = /^(.*?)(?::(\d{1,5}))?$/s;
const maxHostLength = 1_024;

interface HostParts {
  name: string;
  /** "" where none is written. */
  port: string;
}

/** Null where the text is no host; never throws. */
function splitHost(text: string): HostParts | null {
  if (text === "" || text.length > maxHostLength || /[\s/\\?#@%*]/.test(text)) return null;
  const [, written = "", port = ""] = hostAndPort.exec(text) ?? [];
  if (Number(port) > 65_535) return null;
  const address = `http://${written.replace(/\.$/, "")}`;
  if (!URL.canParse(address)) return null;
  const { hostname, port: other } = new URL(address);
  const isNamed = hostname !== "" && other === "" && !hostname.includes("..") && !hostname.startsWith(".");
  return isNamed && !hostname.endsWith(".") ? { name: hostname, port: port && String(Number(port)) } : null;
}

/** `name` or `name:port`; null where the text is no host. */
export function parseHost(text: string): string | null {
  const parts = splitHost(text);
  return parts && (parts.port ? `${parts.name}:${parts.port}` : parts.name);
}

/** A host, `*.` before a host, or `*`; null where the text is none of these. */
export function parseHostPattern(text: string): string | null {
  if (text === "*") return text;
  const wildcard = text.startsWith("*.") ? "*." : "";
  const host = parseHost(text.slice(wildcard.length));
  return host && wildcard + host;
}

/** A request's host as it is compared. The default ports go: which scheme was used makes no difference to whose host it is. */
export function normalizeHost(host: string): string {
  if (canonicalHost.test(host)) return host;
  const parts = splitHost(host);
  if (parts === null) return host.toLowerCase();
  return parts.port === "" || isDefaultPort(parts.port) ? parts.name : `${parts.name}:${parts.port}`;
}

const isDefaultPort = (port: string) => port === "80" || port === "443";

/**
 * Whether a host fits a pattern of the settings. A pattern without a port fits every port; one with a default port fits
 * hosts without one.
 * @param pattern as `parseHostPattern` gives it
 */
export function hostMatches(pattern: string, host: string): boolean {
  if (pattern === "*") return true;
  const normal = normalizeHost(host);
  const [, patternName = "", patternPort] = hostAndPort.exec(pattern) ?? [];
  const [, name = "", port = ""] = hostAndPort.exec(normal) ?? [];
  if (patternPort !== undefined && (isDefaultPort(patternPort) ? "" : patternPort) !== port) return false;
  return patternName.startsWith("*.") ? name.endsWith(patternName.slice(1)) : name === patternName;
}
