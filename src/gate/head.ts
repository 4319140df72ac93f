/** One look over the names of a request's headers: each further look at one costs as much as the whole list. */
import { isOurs } from "./stamp.ts";

export interface Head {
  /** Names that must not travel on: ours, hop by hop, and what Connection names (RFC 9110 §7.6.1). */
  dropped: readonly string[];
  /** Whether these are there at all. */
  upgrade: boolean;
  /** Any of those that tell a prefetch. */
  purpose: boolean;
  forwardedFor: boolean;
}

/** Of the hop-by-hop fields, those that workerd does not keep back by itself. */
export const proxyFields: readonly string[] = ["proxy-authenticate", "proxy-authorization", "proxy-connection"];

/**
 * What Connection cannot take off (RFC 9110 §7.6.1 forbids naming such fields): a client could hide its address, or an
 * answer lose its cookies.
 */
const endToEnd = /^(?:cf-.*|x-forwarded-.*|forwarded|host|cookie|set-cookie|cache-control|authorization|content-.*)$/;

/** The fields that a Connection header names. An upgrade's own are the platform's business. */
export function namedByConnection(connection: string | null): string[] {
  if (connection === null || connection === "keep-alive" || connection === "close") return [];
  return connection.split(",").flatMap((token) => {
    const name = token.trim().toLowerCase();
    return name !== "upgrade" && /^[\w!#$%&'*+.^`|~-]+$/.test(name) && !endToEnd.test(name) ? [name] : [];
  });
}

const [c, p, s, u, x] = [..."cpsux"].map((letter) => letter.charCodeAt(0));

export function inspectHead(headers: Headers): Head {
  const dropped: string[] = [];
  let connection = false;
  let upgrade = false;
  let purpose = false;
  let forwardedFor = false;
  for (const name of headers.keys()) {
    switch (name.charCodeAt(0)) {
      case x:
        if (isOurs(name)) dropped.push(name);
        else if (name === "x-forwarded-for") forwardedFor = true;
        else if (name === "x-moz") purpose = true;
        break;
      case p:
        if (proxyFields.includes(name)) dropped.push(name);
        else if (name === "purpose") purpose = true;
        break;
      case s:
        if (name === "sec-purpose") purpose = true;
        break;
      case c:
        if (name === "connection") connection = true;
        break;
      case u:
        if (name === "upgrade") upgrade = true;
        break;
    }
  }
  if (connection) dropped.push(...namedByConnection(headers.get("connection")));
  return { dropped, upgrade, purpose, forwardedFor };
}
