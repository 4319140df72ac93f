/** Who sent a request: the root token's holder, or somebody with a token that the control plane may know. */
import { base64url } from "jose";
import type { ControlRequest } from "../../control/control.ts";
import { Problem } from "../../model/problem.ts";
import { scopes } from "../../model/token.ts";
import type { Settings } from "../../settings.ts";

const encoder = new TextEncoder();

/** @throws {Problem} 401 */
export async function authenticate(request: Request, { adminToken }: Settings): Promise<ControlRequest["credential"]> {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  if (token === undefined) throw new Problem("invalid_token");
  const hash = await digest(token);
  if (adminToken !== null && crypto.subtle.timingSafeEqual(hash, await digest(adminToken))) {
    return { actor: { name: "root", scopes } };
  }
  return { tokenHash: base64url.encode(hash) };
}

async function digest(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}
