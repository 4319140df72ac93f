import { createHash, randomBytes } from "node:crypto";
import { type PageQuery, pageOf } from "../../model/page.ts";
import { Problem } from "../../model/problem.ts";
import { type Token, type TokenCreate, type TokenView, tokenBytes, tokenPrefix } from "../../model/token.ts";
import type { CommandContext, Input } from "../command.ts";
import { timeOf } from "../time.ts";

type Id = Input<"id", unknown>;

export const tokenCommands = {
  get_tokens({ draft }: CommandContext, { query }: Input<never, PageQuery>) {
    const { items, ...page } = pageOf(draft.rows("token"), query);
    return { tokens: items.map(viewOf), ...page };
  },

  /** Nobody can hand out what they may not do themselves. */
  create_token({ draft, at, newId, actor }: CommandContext, { body }: Input<never, unknown, TokenCreate>) {
    const scopes = [...new Set(body.scopes)];
    const missing = scopes.filter((scope) => !actor.scopes.includes(scope));
    if (missing.length > 0) throw new Problem("insufficient_scope", `${missing.join(", ")}.`);
    const expiry = body.expires_at === undefined ? {} : { expires_at: expiryOf(body.expires_at, at) };
    const namesake = draft.all("token").find(({ name }) => name === body.name);
    if (namesake !== undefined) throw new Problem("token_name_taken", `It is ${namesake.id}.`);

    const secret = `${tokenPrefix}${randomBytes(tokenBytes).toString("base64url")}`;
    const token: Token = {
      id: newId("tok"),
      name: body.name,
      scopes,
      // A plain hash is enough: 256 random bits cannot be guessed, however fast each guess is.
      hash: createHash("sha256").update(secret).digest("base64url"),
      ...expiry,
      created_at: at,
      updated_at: at,
    };
    draft.put("token", token);
    return { ...viewOf(token), token: secret };
  },

  get_token({ draft }: CommandContext, { params }: Id) {
    const token = draft.get("token", params.id);
    if (token === undefined) throw new Problem("token_not_found");
    return viewOf(token);
  },

  /** From the next request on it is nobody's. */
  delete_token({ draft }: CommandContext, { params }: Id) {
    draft.remove("token", params.id);
  },
};

function expiryOf(text: string, at: string): string {
  const expiry = timeOf(text, "invalid_body", "expires_at");
  if (expiry <= at) throw new Problem("invalid_body", `expires_at: must lie in the future; it is ${at} now.`);
  return expiry;
}

function viewOf({ hash: _, ...view }: Token): TokenView {
  return view;
}
