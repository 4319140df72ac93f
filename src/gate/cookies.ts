/** Reading and writing the gate's own cookies, without parsing anybody else's. */

/** More than this of one name is an attack or a broken client. */
const maxValues = 4;

/** Every value that a Cookie header (RFC 6265 §4.2) gives this name, in order. */
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

/** Device, session pins, sticky choices. */
export type CookieBase = "vst_did" | "vst_ses" | "vst_sticky";

export function cookieName(base: CookieBase, { secure }: CookieScope): string {
  return secure ? `__Host-${base}` : base;
}

/** A Set-Cookie value; `maxAgeSeconds` 0 ends the cookie. */
export function setCookie(name: string, value: string, maxAgeSeconds: number, { secure }: CookieScope): string {
  return `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
}
