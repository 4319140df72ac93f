/** Flags that the gate serves by their rollouts: support for tests. */
import { buildSnapshot } from "../../src/model/compile/build-snapshot.ts";
import type { FeatureFlag } from "../../src/model/feature-flag.ts";
import type { Resources } from "../../src/model/resources.ts";
import type { CohortIndex, Snapshot } from "../../src/model/snapshot.ts";
import { flag, resources, variation, variations } from "../model/resources.ts";
import {
  answerAsProvider,
  authorizePath,
  type LoginBrowser,
  newState,
  type Stamped,
  type Step,
} from "./login-browser.ts";
import { createStage, publish, type Stage, type StageOptions } from "./stage.ts";

export type Rollout = NonNullable<FeatureFlag["rollout"]>;

export function setUpProvider(options: StageOptions = {}, jwks?: unknown): Stage {
  const stage = createStage(options);
  answerAsProvider(stage, jwks);
  return stage;
}

let version = 0;
/** Publishes these, with every flag enabled at the gate unless it says otherwise. */
export async function enable(changes: Partial<Resources>, cohorts?: CohortIndex): Promise<Snapshot> {
  version++;
  const options = { tenant: "acme", version, publishedAt: "2025-01-31T12:00:00.000Z", cohorts };
  return publish(buildSnapshot(resources(changes), options), version);
}

export const rolledOut = (rollout: Rollout, changes: Partial<FeatureFlag> = {}) => flag({ rollout, ...changes });
export const everyone = (...keys: string[]): Rollout => ({
  all_users: { percentage: 100, weights: Object.fromEntries(keys.map((key) => [key, 1])) },
});
/** Another flag, served to everyone, and the variations of both. */
export const otherFlag = (rollout: Rollout = everyone("y")) =>
  rolledOut(rollout, { id: "flg_Other", key: "other", name: "Other" });
export const allVariations = [
  ...variations,
  variation("x", { feature_flag_id: "flg_Other" }),
  variation("y", { feature_flag_id: "flg_Other" }),
];
export const noExperiments = { experiments: [] };

export const served = (key: string, more: Partial<Stamped> = {}): Stamped => ({
  id: "-",
  flag: "page",
  variation: `var_${key}`,
  control: false,
  method: "rollout",
  ...more,
});

/** From the application's link to its callback. */
export async function login(browser: LoginBrowser, more = ""): Promise<readonly [Step, Step, Step]> {
  const start = await browser.fromOutside(authorizePath(newState(), more));
  const page = await browser.within("/login");
  const form = await browser.post("/login");
  return [start, page, form];
}
export const stampsOf = (steps: readonly Step[]): Stamped[][] => steps.map(({ stamped }) => stamped);
export const thrice = <T>(value: T): T[] => [value, value, value];
