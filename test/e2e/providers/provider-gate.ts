/** The gate over https in front of one identity provider, and what its experiment's report has to say in the end. */
import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import { findFreePort } from "../../../scripts/demo/listen.ts";
import type { StampReading } from "../../../scripts/demo/stamp.ts";
import { startLocal } from "../../../scripts/local.ts";
import type { Management } from "../../../scripts/management.ts";
import type { ExperimentReport } from "../../../src/diagnosis/report.ts";
import { adminVars, manage, publish } from "../managed.ts";
import { readSample, sample } from "../stack.ts";
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

/** A request as the provider received it. */
export interface ProviderHop {
  method: string;
  path: string;
  isDocument: boolean;
  stamp: StampReading;
}

const counted = ["assignments", "exposures", "logins", "signups", "failures", "pass_throughs"] as const;
type Counted = (typeof counted)[number];
type Counts = Record<Counted, number>;

/** What has really happened, by variation: units, and what became of each. */
export interface Truth {
  unit(variation: string, ...done: Counted[]): void;
  /** Waits until the report says the same, and asserts that it does. */
  expectReported(management: Management): Promise<void>;
}

export function createTruth(): Truth {
  const none = (): Counts => Object.fromEntries(counted.map((name) => [name, 0])) as Counts;
  const counts: Record<string, Counts> = { [sample.control]: none(), [sample.treatment]: none() };
  return {
    unit(variation, ...done) {
      const own = counts[variation];
      if (own === undefined) throw new Error(`no variation ${variation}`);
      for (const each of done) own[each]++;
    },
    async expectReported(management) {
      const readCounts = async () => {
        const report: ExperimentReport = await management.send("GET", `/experiments/${sample.experiment}/report`);
        const countsOf = (variation: object) =>
          Object.fromEntries(counted.map((name) => [name, (variation as Counts)[name]]));
        return Object.fromEntries(report.variations.map((one) => [one.variation_id, countsOf(one)]));
      };
      await expect.poll(readCounts, { timeout: 15_000, interval: 250 }).toEqual(counts);
      const { jumping, excluded } = await management.send("GET", `/experiments/${sample.experiment}/report`);
      expect(jumping.jumped).toBe(0);
      expect(excluded.forced).toBe(0);
    },
  };
}

/**
 * The one variation of a login's hops: asserts that the first hop and every other document were stamped, and all alike.
 * @param hops of one login
 */
export function variationOf(hops: readonly ProviderHop[]): string {
  const documents = hops.filter(({ isDocument }) => isDocument);
  const variations = hops.flatMap(({ stamp }) =>
    stamp.kind === "stamped"
      ? stamp.experiments
          .filter(({ experiment_id }) => experiment_id === sample.experiment)
          .map(({ variation_id }) => variation_id)
      : [],
  );
  const unstamped = documents.filter(({ stamp }) => stamp.kind !== "stamped");
  expect(unstamped.map(({ method, path, stamp }) => `${method} ${path} ${stamp.kind}`)).toEqual([]);
  const [variation, ...others] = new Set(variations);
  expect(others).toEqual([]);
  expect(variation).toBeDefined();
  return variation ?? "";
}
