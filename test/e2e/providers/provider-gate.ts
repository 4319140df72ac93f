/** The gate over https in front of one identity provider. */
import { randomBytes } from "node:crypto";
import { findFreePort } from "../../../scripts/demo/listen.ts";
import { startLocal } from "../../../scripts/local.ts";
import type { Management } from "../../../scripts/management.ts";
import { adminVars, manage, publish } from "../managed.ts";
import { readSample } from "../stack.ts";
import { certificate, hosts } from "./sites.ts";

export interface ProviderGate {
  /** The provider's public address. */
  url: string;
  /** Where the provider has to listen, on 127.0.0.1. */
  providerPort: number;
  stampKey: string;
  management: Management;
  close(): Promise<void>;
}

/** @param tenant settings of the tenant beside host and origin */
export async function startProviderGate(tenant: Record<string, unknown>): Promise<ProviderGate> {
  const stampKey = randomBytes(32).toString("base64url");
  const providerPort = await findFreePort();
  const settings = { hosts: [hosts.provider], origin: `http://127.0.0.1:${providerPort}`, ...tenant };
  const worker = await startLocal({
    port: 0,
    certificate,
    vars: {
      ...adminVars,
      ADMIN_HOSTS: "127.0.0.1",
      TENANTS: JSON.stringify({ atlas: settings }),
      COOKIE_KEYS: `k1:${randomBytes(32).toString("base64url")}`,
      STAMP_KEY: stampKey,
      SNAPSHOT_FRESH_SECONDS: "0.1",
      DECISION_BUDGET_MS: "5000",
    },
  });
  const management = manage({ url: worker.directUrl }, "atlas");
  await publish(management, await readSample());
  return {
    url: `https://${hosts.provider}:${new URL(worker.url).port}`,
    providerPort,
    stampKey,
    management,
    close: worker.close,
  };
}
