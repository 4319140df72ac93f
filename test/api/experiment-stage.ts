/** Flags and experiments made through the management API: support for tests in workerd. */
import type { Client } from "./client.ts";

/** The setting `user`, without which no experiment on users can be activated at the gate. */
export const verifiedUsers = {
  issuer: "https://id.example.com",
  jwks_uri: "https://id.example.com/jwks",
  token: "cookie:token",
};

export interface FlagStage {
  id: string;
  /** Ids, the baseline first. */
  variations: [string, string, ...string[]];
}

/** A flag with `count` variations that differ in its one parameter. */
export async function createFlag(
  client: Client,
  {
    name = "Login page",
    status = "active",
    count = 2,
  }: { name?: string; status?: "draft" | "active"; count?: number } = {},
): Promise<FlagStage> {
  const { id } = await client.post("/feature-flags", {
    name,
    parameters: { title: { type: "string", value: "Hello" } },
  });
  const variations: string[] = [];
  for (let index = 0; index < count; index++) {
    const overrides = index === 0 ? {} : { title: { value: `Hello ${index}` } };
    const variation = await client.post(`/feature-flags/${id}/variations`, { name: `Number ${index}`, overrides });
    variations.push(variation.id);
  }
  if (status === "active") await client.post(`/feature-flags/${id}/status`, { status });
  return { id, variations: variations as FlagStage["variations"] };
}

export const shares = ({ variations }: FlagStage, weights: number[] = [50, 50]) =>
  weights.map((weight, index) => ({ variation_id: variations[index], weight, is_control: index === 0 }));

/** The body of a percentage experiment on `flag` that can be activated. */
export const bodyOf = (flag: FlagStage, changes: object = {}) => ({
  name: "Warmer login",
  feature_flag_id: flag.id,
  authentication_flow: "authentication",
  allocation_strategy: "percentage",
  assignment_config: { subject: "device" },
  allocations: shares(flag),
  ...changes,
});

/** The body of a segment experiment on `flag` that can be activated: the treatment for phones. */
export const segmentBodyOf = (flag: FlagStage, segmentId: string, changes: object = {}) => {
  const [control, treatment] = flag.variations;
  return bodyOf(flag, {
    allocation_strategy: "segment",
    allocations: [
      { variation_id: treatment, is_control: false, segment_id: segmentId, priority: 1 },
      { variation_id: control, is_control: true, is_fallback: true },
    ],
    ...changes,
  });
};

export async function createSegment(client: Client, name = "Phones"): Promise<string> {
  const { id } = await client.post("/segments", { name, rules: [{ match: { device_type: ["mobile"] } }] });
  return id;
}

export const statuses = ["draft", "active", "paused", "completed", "archived"] as const;
export type Status = (typeof statuses)[number];

const wayTo: Record<Status, Status[]> = {
  draft: [],
  active: ["active"],
  paused: ["active", "paused"],
  completed: ["active", "completed"],
  archived: ["active", "completed", "archived"],
};

/** An experiment brought to `status` the way every one gets there. */
// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field.
export async function createExperiment(client: Client, status: Status, body: object): Promise<any> {
  let experiment = await client.post("/experiments", body);
  for (const next of wayTo[status]) {
    experiment = await client.post(`/experiments/${experiment.id}/status`, { status: next });
  }
  return experiment;
}
