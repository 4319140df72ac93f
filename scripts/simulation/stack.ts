/** A whole stack of the simulation's own, in a temporary folder: a tenant for each fault, before a provider that obeys. */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort, listen } from "../demo/listen.ts";
import { startLocal } from "../local.ts";
import { createManagement } from "../management.ts";
import type { Fault } from "./fault.ts";
import type { Ground } from "./ground.ts";
import { simulatedPassword, startSimulationProvider } from "./provider.ts";

export interface StackOptions {
  seed: number;
  /** Each is a tenant's, on a host of its own. */
  faults: readonly Fault[];
}

interface Line {
  level: string;
  message: string;
}

export interface SimulationStack {
  /** What the Worker wrote to its console, the oldest first. */
  lines: readonly Line[];
  ground(fault: string): Ground;
  close(): Promise<void>;
}

const token = "a-root-token-for-simulations";
const redirectUri = "http://localhost/callback";
const deviceCookie = "visitor";
const tenantOf = (fault: string) => fault.replaceAll("_", "-");
const hostOf = (tenant: string) => `${tenant}.localhost`;

/** Every name is this machine: its resolver may not know those under localhost. */
const lookup = ((_host: string, { all }: { all?: boolean }, done: (...found: unknown[]) => void) =>
  all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4)) as never;

export async function startSimulationStack({ seed, faults }: StackOptions): Promise<SimulationStack> {
  /** Keys come of the seed: units, and what goes by their hash, are the same each time. */
  const key = (purpose: string) => createHash("sha256").update(`${purpose}/${seed}`).digest("base64url");
  const [stateDir, provider, port] = await Promise.all([
    mkdtemp(join(tmpdir(), "vestibule-simulation-")),
    startSimulationProvider(),
    findFreePort(),
  ]);
  const cohortSource = await listen(0, (_, response) => void response.writeHead(500).end());
  const agent = new Agent({ keepAlive: true, lookup });
  const origin = `http://127.0.0.1:${provider.port}`;
  const settings = new Map(faults.map(({ name, tenant }) => [tenantOf(name), tenant?.(origin) ?? {}]));

  const lines: Line[] = [];
  const start = () =>
    startLocal({
      onLog(level, message) {
        lines.push({ level, message });
        if (level === "error") console.error(message);
      },
      port,
      stateDir,
      vars: {
        ADMIN_HOSTS: "localhost",
        ADMIN_TOKEN: token,
        TENANTS: JSON.stringify(
          Object.fromEntries(
            [...settings].map(([tenant, own]) => [
              tenant,
              {
                hosts: [hostOf(tenant)],
                origin,
                inject: "attributes",
                // The devices' ids are drawn of the seed, and with them who gets what.
                device_cookie: deviceCookie,
                ...own,
              },
            ]),
          ),
        ),
        COOKIE_KEYS: `k1:${key("cookies")}`,
        STAMP_KEY: key("stamps"),
        UNIT_KEY: key("units"),
        SNAPSHOT_FRESH_SECONDS: "0.1",
        // A machine that is busy with visitors is no fault to be told.
        DECISION_BUDGET_MS: "5000",
        MANAGEMENT_RATE: "10000",
        FETCH_RATE: "10000",
        COHORT_HOSTS: `http://127.0.0.1:${cohortSource.port}`,
      },
    });

  let worker = await start();
  return {
    lines,
    ground(fault) {
      const tenant = tenantOf(fault);
      const url = `http://${hostOf(tenant)}:${port}`;
      return {
        management: createManagement({ url: `http://localhost:${port}`, token, tenant }),
        entrance: { url, clientId: "demo", redirectUri, password: simulatedPassword, deviceCookie, agent },
        apiUrl: `http://localhost:${port}`,
        agent,
        quietMs: 1_000,
        tag: "",
        own: {
          behave: (behaviour) => provider.behave(hostOf(tenant), behaviour),
          async restart(own) {
            settings.set(tenant, { ...settings.get(tenant), ...own });
            await worker.close();
            worker = await start();
          },
          cohortSource: `http://127.0.0.1:${cohortSource.port}/members.csv`,
        },
      };
    },
    async close() {
      agent.destroy();
      await worker.close();
      await Promise.all([provider.close(), cohortSource.close()]);
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
