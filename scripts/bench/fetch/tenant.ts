/** A tenant whose app has so many flags: the first an experiment, the others rolled out by targeting and by chance. */
import { createHash } from "node:crypto";
import { buildSnapshot } from "../../../src/model/compile/build-snapshot.ts";
import { readConfiguration } from "../../../src/model/transfer/configuration.ts";
import type { ConfigurationFile } from "../../../src/model/transfer/configuration-schema.ts";

export const key = "client-key-of-the-bench";

const deployments = ["App"];
const parameters = { title: { type: "string", value: "Welcome" }, price: { type: "number", value: 9.99 } } as const;
const variations = ["control", "treatment"].map((name) => ({
  key: name,
  name,
  overrides: name === "control" ? {} : { title: { value: "Welcome back" } },
}));
const half = { percentage: 50, weights: { control: 1, treatment: 1 } };
const user = (...path: string[]) => ["context", "user", ...path];

function rolledOut(number: number) {
  const countries = ["US", "DE", "FR", "JP", "BR"].slice(number % 3, (number % 3) + 2);
  return {
    inclusions: { treatment: { user_ids: [`tester-${number}@example.com`], device_ids: [] } },
    targeting: [
      {
        name: "Professionals at home",
        conditions: [
          [
            { selector: user("user_properties", "plan"), op: "is" as const, values: ["pro", "team"] },
            { selector: user("country"), op: "is" as const, values: countries },
          ],
        ],
        percentage: 80,
        weights: { control: 1, treatment: 3 },
      },
    ],
    all_users: half,
  };
}

function configurationOf(flags: number): ConfigurationFile {
  return {
    deployments: [{ name: "App", type: "client" }],
    feature_flags: Array.from({ length: flags }, (_, number) => ({
      key: `flag_${number}`,
      name: `Flag ${number}`,
      status: "active" as const,
      parameters,
      deployments,
      variations,
      ...(number === 0 ? {} : { rollout: rolledOut(number) }),
    })),
    experiments: [
      {
        id: "exp_First",
        name: "First",
        feature_flag_id: "flag_0",
        status: "active",
        allocations: [
          { variation_id: "control", weight: 50, is_control: true },
          { variation_id: "treatment", weight: 50 },
        ],
      },
    ],
  };
}

/** As it would stand in KV. */
export function snapshotOf(flags: number): string {
  const publishedAt = new Date().toISOString();
  const read = readConfiguration(configurationOf(flags), { at: publishedAt });
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  const key_hash = createHash("sha256").update(key).digest("base64url");
  const resources = { ...read.resources, deployments: read.resources.deployments.map((one) => ({ ...one, key_hash })) };
  return JSON.stringify(buildSnapshot(resources, { tenant: "default", version: 1, publishedAt }));
}
