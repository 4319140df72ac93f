/** A Vestibule that runs already, as `npm start` does: what is made there stays to be looked at, completed. */
import { Agent } from "node:http";
import type { Management } from "../management.ts";
import type { Ground } from "./ground.ts";

/** A little more than `max_batch_timeout` of the queue in wrangler.toml. */
const longestBatchMs = 6_000;

export interface RunningOptions {
  /** Of the gate, which is an admin host as well. */
  url: string;
  clientId: string;
  /** That the provider knows the client by; the demo's application is at the port after the gate's. */
  redirectUri: string | undefined;
  password: string;
  /** Whether experiments that are active may be paused meanwhile. */
  pauses: boolean;
}

/** @throws where there is no place for one more */
export async function visitRunning(
  management: Management,
  { url, clientId, redirectUri, password, pauses }: RunningOptions,
): Promise<{ ground: Ground; close(): Promise<void> }> {
  const { experiments } = await management.send("GET", "/experiments?status=active");
  const active = experiments as { id: string; name: string }[];
  if (active.length > 0 && !pauses) {
    const names = active.map(({ name, id }) => `"${name}" (${id})`).join(", ");
    throw new Error(`Active: ${names}. With --pause-others it is paused meanwhile, and activated again afterwards.`);
  }
  const setStatus = (id: string, status: string) => management.send("POST", `/experiments/${id}/status`, { status });
  for (const { id } of active) await setStatus(id, "paused");
  const agent = new Agent({ keepAlive: true });
  // Of ids, which hold no 0, O, I and l.
  const tag = Date.now().toString(36).replaceAll("0", "A").replaceAll("l", "B");
  const gate = url.replace(/\/+$/, "");
  const application = new URL("/callback", gate);
  application.port = String(Number(application.port) + 1);
  const entrance = { url: gate, clientId, redirectUri: redirectUri ?? application.href, password, agent };
  return {
    ground: { management, entrance, apiUrl: gate, agent, quietMs: longestBatchMs, tag },
    async close() {
      agent.destroy();
      for (const status of ["active", "paused"]) {
        const { experiments } = await management.send("GET", `/experiments?status=${status}`);
        const own = (experiments as { id: string }[]).filter(({ id }) => id.endsWith(tag));
        for (const { id } of own) await setStatus(id, "completed");
      }
      for (const { id } of active) await setStatus(id, "active");
    },
  };
}
