/** The deployment key that a request bears, in the ways that clients send one. */

/** Longer ones are nobody's. */
const longestKey = 256;

/** `Authorization: Api-Key <key>` or `Bearer <key>`, or `X-API-Key`; null where there is none. */
export function readKey(headers: Headers): string | null {
  const [, key] = /^(?:api-key|bearer)\s+(\S+)\s*$/i.exec(headers.get("authorization") ?? "") ?? [];
  const given = key ?? headers.get("x-api-key")?.trim() ?? "";
  return given === "" || given.length > longestKey ? null : given;
}
