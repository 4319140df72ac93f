/** Reading and writing our own cookies, without parsing any other. */

/** More values of one name than this are an attack or a broken client. */
const maxValues = 8;

/** Every value that a Cookie header (RFC 6265 section 4.2) gives this name, in order. */
export function cookieValues(header: string | null, name: string): string[] {
  const values: string[] = [];
  if (header === null) return values;
  const prefix = `${name}=`;
  let from = header.indexOf(prefix);
  while (from >= 0 && values.length < maxValues) {
    const before = header.slice(0, from).trimEnd();
    if (before === "" || before.endsWith(";")) {
      const end = header.indexOf(";", from);
      values.push(header.slice(from + prefix.length, end < 0 ? undefined : end).trim());
    }
    from = header.indexOf(prefix, from + prefix.length);
  }
  return values;
}

export interface CookieScope {
  /** `__Host-` and Secure on https; browsers refuse both on plain http. */
  secure: boolean;
}

export const cookieBases = ["vst_did", "vst_ses", "vst_sticky"] as const;
/** Device, session, sticky choices. */
export type CookieBase = (typeof cookieBases)[number];

export function cookieName(base: CookieBase, { secure }: CookieScope): string {
  return secure ? `__Host-${base}` : base;
}

/**
 * A Set-Cookie value; `maxAgeSeconds` 0 deletes the cookie. `SameSite=None`, since browsers keep other cookies from the
 * cross-site POST with which a login at an upstream provider returns (`form_post`, SAML), and such a login would never
 * be counted. Browsers accept it on https only.
 */
export function setCookie(base: CookieBase, value: string, maxAgeSeconds: number, scope: CookieScope): string {
  const sameSite = scope.secure ? "None; Secure" : "Lax";
  return `${cookieName(base, scope)}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=${sameSite}`;
}
