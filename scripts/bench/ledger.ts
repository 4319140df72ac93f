/** What the ledger takes in, how soon it answers as it grows, and what a million visits cost. */
import { measureCost } from "./ledger/cost.ts";
import { measureIntake } from "./ledger/intake.ts";
import { measureReports } from "./ledger/reports.ts";

export async function bench(): Promise<void> {
  await measureIntake();
  await measureCost();
  await measureReports();
}
