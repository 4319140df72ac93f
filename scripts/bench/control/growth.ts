/** What a snapshot weighs and costs as flags grow: its size, building it at each commit, compiling it once an isolate. */
import { gzipSync } from "node:zlib";
import { buildSnapshot } from "../../../src/model/compile/build-snapshot.ts";
import { readConfiguration } from "../../../src/model/transfer/configuration.ts";
import { compileSnapshot } from "../../../src/snapshot/compiled.ts";
import { quantile } from "../interleave.ts";

const counts = [10, 100, 1_000];
const runs = 15;

/** Flags of two variations, a rule and a share of all users; half of them under an experiment, one active. */
function configurationOf(flags: number): unknown {
  return {
    feature_flags: Array.from({ length: flags }, (_, number) => ({
      name: `Flag ${number}`,
      parameters: { title: { type: "string", value: "Sign in" }, layout: { type: "string", value: "card" } },
      variations: [{ name: "Control" }, { name: "Treatment", overrides: { title: { value: "Welcome" } } }],
      rollout: {
        targeting: [
          { name: "On small screens", segment_id: "Small screens", percentage: 50, weights: { treatment: 1 } },
        ],
        all_users: { percentage: 20, weights: { control: 1, treatment: 1 } },
      },
    })),
    experiments: Array.from({ length: flags / 2 }, (_, number) => ({
      name: `Experiment ${number}`,
      feature_flag_id: `flag_${number}`,
      status: number === 0 ? "active" : "draft",
      allocations: [
        { variation_id: "control", weight: 50, is_control: true },
        { variation_id: "treatment", weight: 50 },
      ],
    })),
    segments: [{ name: "Small screens", rules: [{ match: { device_type: ["mobile", "tablet"] } }] }],
  };
}

function median(run: () => unknown): number {
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return quantile(times, 0.5);
}

export async function measureGrowth(): Promise<void> {
  const at = new Date().toISOString();
  console.log("A snapshot as flags grow (Node, one thread, medians)");
  console.log("  flags   bytes  gzipped  build ms  compile ms");
  for (const count of counts) {
    const read = readConfiguration(configurationOf(count), { at });
    if ("problems" in read) throw new Error(JSON.stringify(read.problems.slice(0, 3)));
    const build = () => buildSnapshot(read.resources, { tenant: "bench", version: 1, publishedAt: at });
    const text = JSON.stringify(build());
    const cells = [
      String(count).padStart(7),
      String(text.length).padStart(7),
      String(gzipSync(text).length).padStart(8),
      median(build).toFixed(2).padStart(9),
      median(() => compileSnapshot(text, "bench"))
        .toFixed(2)
        .padStart(11),
    ];
    console.log(cells.join(" "));
  }
  console.log();
}
