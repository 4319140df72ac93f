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

export const scopesSchema = v.pipe(
  v.array(v.picklist(scopes, `must be one of ${scopes.join(", ")}`)),
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
