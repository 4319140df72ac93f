/** A deployment: a key that apps and back ends fetch assignments with. */
import * as v from "valibot";
import { descriptionSchema, nameSchema, patchOf, refusing, timestampSchema } from "./fields.ts";
import { deploymentId } from "./ids.ts";

/** The built-in deployment that stands for login pages behind the gate: it has no key, and cannot be changed or deleted. */
export const gateDeployment = "gate";

/** `client` keys travel in apps and see variations only; `server` keys see whole flags. */
export const deploymentType = v.picklist(["client", "server"], "must be client or server");

export const deploymentSchema = v.strictObject({
  id: deploymentId,
  name: nameSchema,
  description: v.exactOptional(descriptionSchema),
  type: deploymentType,
  /** SHA-256 of the key, base64url: what the edge compares. */
  key_hash: v.string(),
  /** The key itself, of `client` deployments only: it is no secret. */
  key: v.exactOptional(v.string()),
  created_at: timestampSchema,
  updated_at: timestampSchema,
});
export type Deployment = v.InferOutput<typeof deploymentSchema>;

export const deploymentCreateSchema = v.strictObject(
  { name: nameSchema, description: v.exactOptional(descriptionSchema), type: deploymentType },
  refusing({ key: "cannot be sent: it is drawn at random" }),
);
export type DeploymentCreate = v.InferOutput<typeof deploymentCreateSchema>;

export const deploymentPatchSchema = patchOf(
  { name: nameSchema, description: v.nullable(descriptionSchema) },
  {
    type: "cannot be changed: make another deployment",
    key: "cannot be sent: POST /deployments/{id}/rotate draws a new one",
  },
);
export type DeploymentPatch = v.InferOutput<typeof deploymentPatchSchema>;
