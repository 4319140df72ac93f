/** What a caller of the control plane tells it of the tenant's settings, which only callers have. */
import { coveredFlows } from "../gate/presets/covered-flows.ts";
import type { Tenant } from "../model/tenant.ts";
import type { TenantSettings } from "./command.ts";

export function tenantSettingsOf(tenant: Tenant): TenantSettings {
  return {
    id: tenant.id,
    activeLimit: tenant.active_experiment_limit,
    entitled: tenant.entitled,
    verifiesUsers: tenant.user !== undefined,
    gateFlows: coveredFlows(tenant),
  };
}
