/** What an evaluation costs: against Amplitude's own engine and two others, in Node and inside workerd. */
import { createGrowthBook } from "./engine/contenders.ts";
import { createFlagd } from "./engine/flagd.ts";
import { formatGrowth } from "./engine/growth.ts";
import { measureEngines, measureGrowth } from "./engine/measure.ts";
import { measureInWorkerd } from "./engine/workerd.ts";
import { formatStandings, type InterleaveOptions } from "./interleave.ts";

const options: InterleaveOptions = { rounds: 61, sliceMs: 4, warmUpMs: 300 };
/** workerd's clock ticks in milliseconds, so slices have to be longer. */
const workerdOptions: InterleaveOptions = { rounds: 21, sliceMs: 40, warmUpMs: 300 };

/** Prints how many times as fast as experiment-core each engine is, as medians of ratios within rounds. */
export async function bench(): Promise<void> {
  const peers = [
    ["growthbook", createGrowthBook],
    ["flagd-core", createFlagd],
  ] as const;
  console.log("Evaluating all flags for a user, in Node. Ratios are what counts: times wander with the machine.\n");
  for (const { title, standings } of measureEngines(peers, options))
    console.log(`${formatStandings(title, standings)}\n`);
  for (const growth of measureGrowth(options)) console.log(`${formatGrowth(growth)}\n`);
  console.log("The same inside workerd, where flagd-core has to interpret its rules: code from text is forbidden.\n");
  for await (const { title, standings } of measureInWorkerd(workerdOptions)) {
    console.log(`${formatStandings(title, standings)}\n`);
  }
}
