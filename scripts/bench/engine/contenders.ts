/** The engines that are measured, each evaluating all flags of the workload for a user. */
import { EvaluationEngine } from "@amplitude/experiment-core";
import { type FeatureRule, GrowthBookClient } from "@growthbook/growthbook";
import { compileFlags } from "../../../src/engine/compile.ts";
import { type Rollout, toFlag, type User } from "./workload.ts";

export type Evaluate = (user: User) => unknown;

export function createOurs(rollouts: readonly Rollout[]): Evaluate {
  const { evaluate } = compileFlags(rollouts.map(toFlag));
  return (user) => evaluate({ user: user as User & Record<string, unknown> });
}

/** The yardstick: what Amplitude's own servers run. The flags are sorted beforehand, as its SDKs do. */
export function createCore(rollouts: readonly Rollout[]): Evaluate {
  const engine = new EvaluationEngine();
  const flags = rollouts.map(toFlag) as unknown as Parameters<EvaluationEngine["evaluate"]>[1];
  return (user) => engine.evaluate({ user }, flags);
}

function toGrowthBookRules(rollout: Rollout): FeatureRule<string>[] {
  const split = (coverage: number) => ({
    variations: ["control", "treatment"] as [string, string],
    weights: [0.5, 0.5],
    coverage,
    hashAttribute: "device_id",
    hashVersion: 2,
    seed: rollout.salt,
  });
  return [
    {
      condition: { $or: [{ user_id: { $in: rollout.userIds } }, { device_id: { $in: rollout.deviceIds } }] },
      force: "treatment",
    },
    {
      condition: {
        country: { $in: rollout.countries },
        platform: { $in: rollout.platforms },
        "user_properties.role": { $nin: rollout.notRoles },
        version: { $vgte: rollout.minVersion },
      },
      ...split(rollout.targetedShare / 100),
    },
    split(rollout.generalShare / 100),
  ];
}

export function createGrowthBook(rollouts: readonly Rollout[]): Evaluate {
  const features = Object.fromEntries(
    rollouts.map((rollout) => [rollout.key, { defaultValue: "off", rules: toGrowthBookRules(rollout) }]),
  );
  const client = new GrowthBookClient().initSync({ payload: { features } });
  return (user) => {
    const results: Record<string, unknown> = {};
    for (const { key } of rollouts) results[key] = client.evalFeature(key, { attributes: { ...user } });
    return results;
  };
}
