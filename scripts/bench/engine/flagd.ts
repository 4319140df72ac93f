/** Apart from the other engines, because it cannot be part of a Worker: it compiles its rules with `new Function`. */
import { FlagdCore } from "@openfeature/flagd-core";
import type { Evaluate } from "./contenders.ts";
import type { Rollout } from "./workload.ts";

function toFlagdFlag(rollout: Rollout): object {
  const read = (name: string) => ({ var: name });
  const split = (share: number) => ({
    fractional: [
      { cat: [rollout.salt, "/", read("device_id")] },
      ["control", share / 2],
      ["treatment", share / 2],
      ["off", 100 - share],
    ],
  });
  const included = {
    or: [{ in: [read("user_id"), rollout.userIds] }, { in: [read("device_id"), rollout.deviceIds] }],
  };
  const targeted = {
    and: [
      { in: [read("country"), rollout.countries] },
      { in: [read("platform"), rollout.platforms] },
      { "!": [{ in: [read("user_properties.role"), rollout.notRoles] }] },
      { sem_ver: [read("version"), ">=", rollout.minVersion] },
    ],
  };
  return {
    state: "ENABLED",
    variants: { off: "off", control: "control", treatment: "treatment" },
    defaultVariant: "off",
    targeting: {
      if: [included, "treatment", targeted, split(rollout.targetedShare), split(rollout.generalShare)],
    },
  };
}

export function createFlagd(rollouts: readonly Rollout[]): Evaluate {
  const core = new FlagdCore();
  const flags = Object.fromEntries(rollouts.map((rollout) => [rollout.key, toFlagdFlag(rollout)]));
  core.setConfigurations(JSON.stringify({ flags }));
  return (user) => {
    const results: Record<string, unknown> = {};
    for (const { key } of rollouts) results[key] = core.resolveStringEvaluation(key, "off", { ...user });
    return results;
  };
}
