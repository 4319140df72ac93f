/** The Worker on this machine with deployments, and a lens before it that counts what clients ask: support for tests. */
import { randomBytes } from "node:crypto";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { vi } from "vitest";
import { startLocal } from "../../../scripts/local.ts";
import { type Management, untilPublished } from "../../../scripts/management.ts";
import type { ConfigurationFile } from "../../../src/model/transfer/configuration-schema.ts";
import { countsOf } from "../log-in-report.ts";
import { adminVars, manage, publish } from "../managed.ts";

export interface Asked {
  method: string;
  path: string;
  status: number;
}

export interface House {
  /** What clients are told, and nothing else. */
  url: string;
  /** The Worker alone: without the lens, and without the local server, which compresses for who asks for it. */
  directUrl: string;
  management: Management;
  /** By name of the deployment. */
  keys: Readonly<Record<string, string>>;
  /** Gives a cohort these members, and waits until variants go by them. */
  replaceMembers(cohort: string, members: readonly string[]): Promise<void>;
  /** What was asked since the last call. */
  takeAsked(): Asked[];
  /** Answered with instead of the Worker's own answer, while it is not null. */
  answerWith(status: number | null): void;
  /** How many events the queue's consumer has counted: `exposure:<experiment>` … */
  counts(): Record<string, number>;
  /** Waits until it has. */
  untilCounted(name: string, count: number): Promise<void>;
  close(): Promise<void>;
}

const freshMs = 100;

export async function startHouse(
  configuration: ConfigurationFile,
  { vars = {} }: { vars?: Record<string, string> } = {},
): Promise<House> {
  const lines: { level: string; message: string }[] = [];
  const worker = await startLocal({
    port: 0,
    vars: {
      ...adminVars,
      TENANTS: JSON.stringify({ default: { active_experiment_limit: 20 } }),
      COOKIE_KEYS: `k1:${randomBytes(32).toString("base64url")}`,
      STAMP_KEY: randomBytes(32).toString("base64url"),
      SNAPSHOT_FRESH_SECONDS: String(freshMs / 1000),
      DECISION_BUDGET_MS: "5000",
      FETCH_RATE: "100000",
      ...vars,
    },
    onLog: (level, message) => lines.push({ level, message }),
  });
  const management = manage(worker);
  const { deployments } = await management.import(configuration);
  await publish(management, configuration);

  const asked: Asked[] = [];
  let forced: number | null = null;
  const target = new URL(worker.url);
  const lens = createServer((incoming, outgoing) => {
    const { method = "GET", url: path = "/", headers } = incoming;
    if (forced !== null) {
      asked.push({ method, path, status: forced });
      outgoing.writeHead(forced, { "access-control-allow-origin": "*" }).end();
      return;
    }
    const options = { hostname: "127.0.0.1", port: target.port, method, path, headers };
    const onward = httpRequest(options, (answer) => {
      asked.push({ method, path, status: answer.statusCode ?? 0 });
      outgoing.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => lens.listen(0, "127.0.0.1", resolve));
  const counts = () => countsOf(lines);
  return {
    url: `http://localhost:${(lens.address() as AddressInfo).port}`,
    directUrl: worker.directUrl,
    management,
    keys: Object.fromEntries(deployments.map(({ name, key }) => [name, key])),
    async replaceMembers(cohort, members) {
      await management.send("PUT", `/cohorts/${cohort}/members`, members);
      await vi.waitFor(
        async () => {
          const { pending, snapshot } = await untilPublished(management);
          if (pending !== null || snapshot?.cohorts?.ready[cohort] === undefined)
            throw new Error(`${cohort} is not ready`);
        },
        { timeout: 10_000, interval: 50 },
      );
      // Memory may be as old as a snapshot is fresh.
      await new Promise((resolve) => setTimeout(resolve, freshMs * 2));
    },
    takeAsked: () => asked.splice(0),
    answerWith(status) {
      forced = status;
    },
    counts,
    untilCounted: (name, count) =>
      vi.waitFor(
        () => {
          if ((counts()[name] ?? 0) !== count) throw new Error(`${name}: ${JSON.stringify(counts())}`);
        },
        { timeout: 10_000, interval: 50 },
      ),
    async close() {
      lens.closeAllConnections();
      await new Promise((resolve) => lens.close(resolve));
      await worker.close();
    },
  };
}
