/** A snapshot's deployments, read once they are asked for: most isolates serve log-ins alone. */
import * as v from "valibot";
import { memo } from "../model/memo.ts";
import { type Snapshot, snapshotSchema } from "../model/snapshot.ts";
import type { CompiledExperiment, CompiledSnapshot } from "./compiled.ts";

export interface CompiledDeployment {
  id: string;
  type: Snapshot["deployments"][number]["type"];
  /** Of the flags that may be fetched with its key, in the snapshot's order. */
  flagKeys: readonly string[];
}

const deploymentSchema = v.unwrap(snapshotSchema.entries.deployments).item;

/** By hash of the key. One that cannot be read is left out, and told on the console. */
export const deploymentsOf = memo((snapshot: CompiledSnapshot): ReadonlyMap<string, CompiledDeployment> => {
  const listed = Array.isArray(snapshot.deployments) ? (snapshot.deployments as unknown[]) : [];
  const found = new Map<string, CompiledDeployment>();
  for (const [position, value] of listed.entries()) {
    const parsed = v.safeParse(deploymentSchema, value);
    if (parsed.success) {
      const { id, type, key_hash, flag_keys } = parsed.output;
      found.set(key_hash, { id, type, flagKeys: flag_keys });
      continue;
    }
    const { tenant, version } = snapshot;
    const fault = `deployments[${position}]: ${v.summarize(parsed.issues)}`;
    console.warn(JSON.stringify({ message: "snapshot has faults", tenant, version, faults: [fault] }));
  }
  return found;
});

const unservedSchema = v.unwrap(snapshotSchema.entries.unserved);

/** By flag that is enabled in a deployment and serves nobody, names of its parameters, as far as they can be read. */
export const unservedOf = memo((snapshot: CompiledSnapshot): ReadonlyMap<string, readonly string[]> => {
  const parsed = v.safeParse(unservedSchema, snapshot.unserved);
  return new Map(parsed.success ? Object.entries(parsed.output) : []);
});

/** By flag, the experiment that is assigned on it today. */
export const activeByFlag = memo((snapshot: CompiledSnapshot): ReadonlyMap<string, CompiledExperiment> => {
  const found = new Map<string, CompiledExperiment>();
  for (const experiment of snapshot.active) {
    // Two may be active on one flag, which was compiled for one of them.
    const { experimentKey } = snapshot.flagByKey.get(experiment.flagKey)?.metadata ?? {};
    if (experimentKey === experiment.id) found.set(experiment.flagKey, experiment);
  }
  return found;
});
