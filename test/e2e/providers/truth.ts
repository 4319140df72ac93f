/** What tests have really done, against the experiment's report. */
import { expect } from "vitest";
import type { Management } from "../../../scripts/management.ts";
import type { ExperimentReport } from "../../../src/diagnosis/report.ts";
import { sample } from "../stack.ts";

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
