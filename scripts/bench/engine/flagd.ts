/**
 * flagd-core in its two modes: by default it compiles rules with `new Function`, which workerd forbids; there its option
 * for edge runtimes makes it interpret them.
 */
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

function create(rollouts: readonly Rollout[], disableDynamicCodeGeneration: boolean): Evaluate {
  const core = new FlagdCore(undefined, undefined, { disableDynamicCodeGeneration });
  const flags = Object.fromEntries(rollouts.map((rollout) => [rollout.key, toFlagdFlag(rollout)]));
  core.setConfigurations(JSON.stringify({ flags }));
  checkWorks(core, rollouts);
  return (user) => {
    const results: Record<string, unknown> = {};
    for (const { key } of rollouts) results[key] = core.resolveStringEvaluation(key, "off", { ...user });
    return results;
  };
}

/** It answers with the default when it cannot evaluate a flag; that would be fast and mean nothing. */
function checkWorks(core: FlagdCore, rollouts: readonly Rollout[]): void {
  for (const { key, userIds } of rollouts) {
    const { value, errorMessage } = core.resolveStringEvaluation(key, "off", { user_id: userIds[0] ?? "" });
    if (value !== "treatment") throw new Error(`flagd-core does not evaluate ${key}: ${errorMessage ?? value}`);
  }
}

export const createFlagd = (rollouts: readonly Rollout[]): Evaluate => create(rollouts, false);
export const createInterpretedFlagd = (rollouts: readonly Rollout[]): Evaluate => create(rollouts, true);
