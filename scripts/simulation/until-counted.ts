/** Waits until what has happened is in the ledger: it comes through a queue. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ExperimentReport } from "../../src/diagnosis/report.ts";
import { type Management, Refusal } from "../management.ts";
import type { Scene } from "./scene.ts";

const lookAgainMs = 400;
const giveUpMs = 30_000;

/** How many of the assigned units the ledger has, once no more are coming. */
export async function untilCounted({
  ground,
  site,
  assigned,
}: Pick<Scene, "ground" | "site" | "assigned">): Promise<number> {
  const giveUpAtMs = Date.now() + giveUpMs;
  let [last, sinceMs] = ["", Date.now()];
  for (;;) {
    const found = await countsOf(ground.management, site.experimentId);
    // Whoever is refused has waited before.
    if (found === null) return assigned.size;
    const { counted, all } = found;
    if (all !== last) [last, sinceMs] = [all, Date.now()];
    const isQuiet = Date.now() - sinceMs >= ground.quietMs;
    if ((isQuiet && counted >= assigned.size) || Date.now() > giveUpAtMs) return counted;
    await sleep(lookAgainMs);
  }
}

async function countsOf({ send }: Management, experimentId: string) {
  const report = await refusedAsNull<ExperimentReport>(send("GET", `/experiments/${experimentId}/report`));
  if (report === null) return null;
  const { variations, excluded } = report;
  const assigned = variations.reduce((sum, { assignments }) => sum + assignments, 0);
  const rows = variations.map(({ name: _, ...counts }) => counts);
  return { counted: assigned + excluded.included + excluded.sticky, all: JSON.stringify([rows, excluded]) };
}

/** Null where the tenant is not entitled to ask. */
export async function refusedAsNull<Answer>(asked: Promise<Answer>): Promise<Answer | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Refusal && error.status === 403) return null;
    throw error;
  }
}
