/** All Workers in the isolate of a test, one calling another without leaving it: support for tests in workerd. */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { CohortsEnv } from "../src/cohorts/cohorts.ts";
import type { ControlEnv } from "../src/control/control.ts";
import login, { type Env as LoginEnv } from "../src/worker.ts";
import { Dashboard, type DashboardEnv } from "../src/workers/dashboard.ts";
import { Management, type ManagementEnv } from "../src/workers/management.ts";
import records, { type RecordsEnv } from "../src/workers/records.ts";

/** Whatever any of them is bound to. */
export type Env = LoginEnv & RecordsEnv & ControlEnv & CohortsEnv & ManagementEnv & DashboardEnv;
export type Bindings = Omit<Env, "MANAGEMENT" | "DASHBOARD">;

/** As test/wrangler.toml has them. */
export const bindings = env as unknown as Bindings;

/** The same with the Workers behind, each bound to what the others are: `own` is changed. */
export function joined(own: Bindings): Env {
  const all = own as Env;
  all.MANAGEMENT = new Management(createExecutionContext(), all);
  all.DASHBOARD = new Dashboard(createExecutionContext(), all);
  return all;
}

export { Cohorts, Control } from "../src/workers/control.ts";
export { Ledger, Logbook } from "../src/workers/records.ts";

export default { ...records, fetch: login.fetch };
