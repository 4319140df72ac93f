/** One pass over the names of a request's headers: looking each one up costs as much as the whole list. */

export interface HeaderScan {
  /** Names that are not forwarded: ours, what says who asked and how, hop-by-hop fields (RFC 9110 section 7.6.1). */
  dropped: readonly string[];
  /** Whether these are there at all. */
  upgrade: boolean;
  /** Any of those that announce a prefetch. */
  purpose: boolean;
}

/** Of the hop-by-hop fields, those that workerd does not remove by itself. */
export const proxyFields: readonly string[] = ["proxy-authenticate", "proxy-authorization", "proxy-connection"];

/**
 * Every header by which some server learns who sent a request and to which address: only the gate may say that. CGI and
 * its kin (RFC 3875 section 4.1.18) fold `-`, `_` and `.` into one character, so every spelling is removed.
 */
const forwarding = new Set([
  ..."forwarded true-client-ip client-ip proxy fastly-client-ip front-end-https".split(" "),
  ..."x-real-ip x-client-ip x-cluster-client-ip x-host x-scheme x-url-scheme x-remote-ip x-remote-addr".split(" "),
  ..."x-originating-ip x-proxyuser-ip x-azure-clientip x-envoy-external-address x-http-host-override".split(" "),
  ..."wl-proxy-client-ip proxy-client-ip x-arr-ssl".split(" "),
]);
const forwardingPrefix = /^x-(?:forwarded|original|rewrite)(?:-|$)/;

/** Headers of ours, in every spelling that folds into them. */
export const isOurs = (name: string): boolean => /^x[^a-z0-9](?:experiment|vestibule)[^a-z0-9]/.test(name);

function isForwarding(name: string): boolean {
  const isSpelledOtherwise = /[^a-z0-9-]/.test(name);
  const folded = isSpelledOtherwise ? name.replace(/[^a-z0-9]/g, "-") : name;
  // Cloudflare sets and spells its own headers: what only folds into `cf-connecting-ip` is the client's.
  const isForged = isSpelledOtherwise && folded.startsWith("cf-");
  return isForged || forwarding.has(folded) || forwardingPrefix.test(folded);
}

/**
 * What Connection cannot remove (RFC 9110 section 7.6.1 forbids naming such fields): a client could hide its address, or a
 * response lose its cookies.
 */
const endToEnd = /^(?:cf-.*|x-forwarded-.*|forwarded|host|cookie|set-cookie|cache-control|authorization|content-.*)$/;

/** The fields that a Connection header names. An upgrade's own are left to the platform. */
export function namedByConnection(connection: string | null): string[] {
  if (connection === null || connection === "keep-alive" || connection === "close") return [];
  return connection.split(",").flatMap((token) => {
    const name = token.trim().toLowerCase();
    return name !== "upgrade" && /^[\w!#$%&'*+.^`|~-]+$/.test(name) && !endToEnd.test(name) ? [name] : [];
  });
}

const [c, f, m, p, s, t, u, w, x] = [..."cfmpstuwx"].map((letter) => letter.charCodeAt(0));

export function scanHeaders(headers: Headers): HeaderScan {
  const dropped: string[] = [];
  let connection = false;
  let upgrade = false;
  let purpose = false;
  for (const name of headers.keys()) {
    switch (name.charCodeAt(0)) {
      case x:
        if (isOurs(name) || isForwarding(name)) dropped.push(name);
        else if (name === "x-moz" || name === "x-purpose") purpose = true;
        break;
      case p:
        if (proxyFields.includes(name) || isForwarding(name)) dropped.push(name);
        else if (name === "purpose") purpose = true;
        break;
      case m:
        if (name === "moz-purpose") purpose = true;
        break;
      case s:
        if (name === "sec-purpose") purpose = true;
        break;
      case c:
        if (name === "connection") connection = true;
        else if ((name.startsWith("cf") || name.startsWith("client")) && isForwarding(name)) dropped.push(name);
        break;
      case f:
      case t:
      case w:
        if (isForwarding(name)) dropped.push(name);
        break;
      case u:
        if (name === "upgrade") upgrade = true;
        break;
    }
  }
  if (connection) dropped.push(...namedByConnection(headers.get("connection")));
  return { dropped, upgrade, purpose };
}
