import * as v from "valibot";
import { type Tenant, tenantSchema } from "../../src/model/tenant.ts";

/** A tenant as the settings would make it. */
export function tenantOf(options: Record<string, unknown> = {}): Tenant {
  return { ...v.parse(tenantSchema, { hosts: ["*"], origin: "https://id.example.com", ...options }), id: "default" };
}
