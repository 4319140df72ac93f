/** What the control plane does in a second, how soon the gate knows, and what a configuration weighs as it grows. */
import { commitToGate } from "./control/commit-to-gate.ts";
import { measureGrowth } from "./control/growth.ts";
import { measureRequests } from "./control/requests.ts";

export async function bench(): Promise<void> {
  await measureRequests();
  await commitToGate();
  await measureGrowth();
}
