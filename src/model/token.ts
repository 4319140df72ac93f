/** Access to the management API. */
import * as v from "valibot";
import { nameSchema, timestampSchema } from "./fields.ts";
import { tokenId } from "./ids.ts";

export const scopes = [
  "read:experimentation",
  "create:experimentation",
  "update:experimentation",
  "delete:experimentation",
] as const;
export type Scope = (typeof scopes)[number];

/** So that a leaked token is found by what looks for leaked tokens, and any other text is known to be none. */
export const tokenPrefix = "vst_";
export const tokenBytes = 32;
/** The prefix and `tokenBytes` random bytes, base64url. */
export const tokenPattern = /^vst_[\w-]{43}$/;

export const scopesSchema = v.pipe(
  v.array(v.picklist(scopes, `must be one of ${scopes.join(", ")}`), "must be a list of scopes"),
  v.minLength(1, "must hold at least one scope"),
);

/** As stored: the token itself is shown once, when it is made, and only its hash is kept. */
export const tokenSchema = v.strictObject({
  id: tokenId,
  name: nameSchema,
  scopes: scopesSchema,
  /** SHA-256 of the token, base64url. */
  hash: v.string(),
  expires_at: v.exactOptional(timestampSchema),
  created_at: timestampSchema,
  updated_at: timestampSchema,
});
export type Token = v.InferOutput<typeof tokenSchema>;

export const tokenCreateSchema = v.strictObject({
  name: nameSchema,
  scopes: scopesSchema,
  expires_at: v.exactOptional(timestampSchema),
});
export type TokenCreate = v.InferOutput<typeof tokenCreateSchema>;

/** As answered. */
export const tokenViewSchema = v.omit(tokenSchema, ["hash"]);
export type TokenView = v.InferOutput<typeof tokenViewSchema>;

/** As answered the one time that it is made. */
export const tokenMadeSchema = v.strictObject({ ...tokenViewSchema.entries, token: v.string() });
