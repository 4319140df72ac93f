/** One simulation: builds its experiment, lets its people come, waits until all is counted, and asks what is wrong. */
import type { CheckResult } from "../../src/diagnosis/check.ts";
import type { Diagnosis } from "../../src/diagnosis/diagnose.ts";
import type { ExperimentReport } from "../../src/diagnosis/report.ts";
import type { Fault } from "./fault.ts";
import { build, type Ground } from "./ground.ts";
import type { Progress } from "./progress.ts";
import { createRandom } from "./random.ts";
import { createScene } from "./scene.ts";
import { refusedAsNull, untilCounted } from "./until-counted.ts";

export interface SimulationOptions {
  visitors: number;
  seed: number;
  /** How many people are on their way at once. */
  sideBySide: number;
  /** Once it is aborted, nobody more sets out, and that is all. */
  signal: AbortSignal;
  progress: Progress;
}

export interface Simulated {
  fault: Fault;
  experimentId: string;
  /** Null where it is refused, as to a tenant that is not entitled. */
  report: ExperimentReport | null;
  diagnosis: Diagnosis;
  /** Units that were assigned, and of them those that the ledger had when it was waited for no longer. */
  assigned: number;
  counted: number;
  /** Whether the fault leads; of a healthy experiment, whether nothing fails. */
  isNamed: boolean;
  /** Checks that fail though they are not the fault's. */
  others: CheckResult[];
}

export async function simulate(fault: Fault, ground: Ground, options: SimulationOptions): Promise<Simulated> {
  const { visitors, seed, progress } = options;
  const part = partOf(fault.name);
  const site = await build(
    ground,
    `Simulated: ${fault.name}${ground.tag && ` ${ground.tag}`}`,
    part,
    fault.layout?.(ground),
  );
  const scene = createScene({
    ground,
    site,
    random: createRandom(seed),
    prefix: `${ground.tag}s${seed}`,
    ...options,
    visitors,
  });
  const { from } = (await fault.run(scene)) ?? {};
  progress.say("Waiting for the queue and the ledger …");
  const counted = await untilCounted(scene);
  const query = from === undefined ? "" : `?${new URLSearchParams({ from })}`;
  const ask = (what: string) => ground.management.send("GET", `/experiments/${site.experimentId}/${what}${query}`);
  const report = await refusedAsNull<ExperimentReport>(ask("report"));
  const diagnosis: Diagnosis = await ask("diagnosis");
  const failing = checksOf(diagnosis).filter(({ status }) => status === "fail");
  return {
    fault,
    experimentId: site.experimentId,
    report,
    diagnosis,
    assigned: scene.assigned.size,
    counted,
    isNamed: diagnosis.leading === fault.check,
    others: failing.filter(({ id }) => id !== fault.check),
  };
}

export function checksOf({ traffic, setup, srm }: Diagnosis): CheckResult[] {
  return [...srm, ...traffic, ...setup];
}

/** For ids: letters that may be in one. */
function partOf(name: string): string {
  const words = name.split("_").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return words.join("").replaceAll("l", "1").replaceAll("I", "i").replaceAll("O", "o");
}
