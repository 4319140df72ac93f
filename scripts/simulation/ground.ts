/** The Vestibule that is visited: where its people come in, and where its operators change it. */
import type { Agent } from "node:http";
import { gateDeployment } from "../../src/model/deployment.ts";
import {
  type Configuration,
  type ConfigurationFile,
  configurationVersion,
} from "../../src/model/transfer/configuration-schema.ts";
import { type ImportAnswer, type Management, untilPublished } from "../management.ts";
import { type App, createApp } from "./app.ts";
import type { Entrance } from "./browser.ts";
import type { Behaviour } from "./provider.ts";

export interface Ground {
  management: Management;
  entrance: Entrance;
  /** Of the fetch APIs. */
  apiUrl: string;
  agent: Agent;
  /** How long nothing must have come for nothing more to be on its way: its queue may wait for a batch to be full. */
  quietMs: number;
  /** Part of the ids of what is made here, so that a second run meets no first. */
  tag: string;
  /** Of a stack of the simulation's own; absent where somebody else's is visited. */
  own?: {
    behave(behaviour: Behaviour): void;
    /** Starts it anew with other settings of the tenant. */
    restart(tenant: Record<string, unknown>): Promise<void>;
    /** Answers whatever it is told, or 500 for null: where a cohort may be fetched from. */
    cohortSource: string;
  };
}

export const variationNames = ["Control", "Treatment", "Third"] as const;

export interface Layout {
  /** By variation, of 100; the first is the control. */
  weights?: readonly number[];
  /** How many the flag has, where the experiment begins without some. */
  variations?: number;
  /** Anything else of the flag's rollout. */
  rollout?: Configuration["feature_flags"][number]["rollout"];
  levels?: readonly number[];
  status?: "draft" | "active";
  /** Rules of the segment that the treatment is for: then the experiment splits by segment. */
  segment?: unknown;
  cohorts?: ConfigurationFile["cohorts"];
  /** Where the flag is enabled: at the gate and for apps unless given. */
  enabledIn?: "gate" | "nowhere";
  /** Other fields of the experiment. */
  experiment?: Partial<NonNullable<ConfigurationFile["experiments"]>[number]>;
}

/** An experiment that was made, and what it takes to visit it. */
export interface Site {
  experimentId: string;
  flagId: string;
  flagKey: string;
  /** In the order of `variationNames`, as many as have a weight. */
  variationIds: readonly string[];
  app: App;
  /** A back end's. */
  server: App;
  /** As the API takes it. */
  allocations(weights: readonly number[]): object[];
}

/** @param name of the experiment, and of all that belongs to it */
export async function build(ground: Ground, name: string, part: string, layout: Layout = {}): Promise<Site> {
  const { management, apiUrl, agent, tag } = ground;
  const {
    weights = [50, 50],
    variations = weights.length,
    rollout,
    levels,
    status = "active",
    segment,
    cohorts = [],
  } = layout;
  const { enabledIn, experiment = {} } = layout;
  const id = (kind: string, suffix = "") => `${kind}_Simu1ated${part}${suffix}${tag}`;
  const variationIds = variationNames.slice(0, variations).map((each) => id("var", each.replaceAll("l", "1")));
  const [flagId, experimentId, segmentId] = [id("flg"), id("exp"), id("seg")];
  const flagKey = `simulated-${part.toLowerCase()}-${tag.toLowerCase()}`;
  const deployments = [
    { id: id("dep", "App"), name: `${name}: apps`, type: "client" as const },
    { id: id("dep", "Server"), name: `${name}: back ends`, type: "server" as const },
  ];
  const allocations = (shares: readonly number[]) =>
    shares.map((weight, index) => ({ variation_id: variationIds[index], weight, is_control: index === 0 }));
  const bySegment = [
    { variation_id: variationIds[1], segment_id: segmentId, priority: 1, is_control: false },
    { variation_id: variationIds[0], is_control: true, is_fallback: true },
  ];
  const file = {
    version: configurationVersion,
    feature_flags: [
      {
        id: flagId,
        key: flagKey,
        name,
        parameters: { headline: { type: "string", value: "Sign in" } },
        deployments: {
          everywhere: [gateDeployment, ...deployments.map((each) => each.id)],
          gate: [gateDeployment],
          nowhere: [],
        }[enabledIn ?? "everywhere"],
        ...(rollout === undefined ? {} : { rollout }),
        variations: variationIds.map((variationId, index) => ({
          id: variationId,
          name: variationNames[index],
          overrides: index === 0 ? {} : { headline: { value: `Welcome, ${index}` } },
        })),
      },
    ],
    experiments: [
      {
        id: experimentId,
        name,
        feature_flag_id: flagId,
        status,
        // Of its own, so that the same seed splits people in the same way wherever it is.
        bucketing_salt: `simulated-${part}`,
        ...(levels === undefined ? {} : { levels }),
        ...experiment,
        ...(segment === undefined
          ? { allocations: allocations(weights) }
          : { allocation_strategy: "segment", allocations: bySegment }),
      },
    ],
    segments: segment === undefined ? [] : [{ id: segmentId, name: `${name}: segment`, rules: segment }],
    cohorts,
    deployments,
  };
  const { problems, deployments: made }: ImportAnswer = await management.import(file);
  const [problem] = problems;
  if (problem !== undefined) throw new Error(`${problem.path}: ${problem.message}`);
  const keyOf = (type: string) => made.find((each) => each.type === type)?.key ?? "";
  const appOf = (type: string) => createApp({ url: apiUrl, key: keyOf(type), flagKey, agent });
  const site = {
    experimentId,
    flagId,
    flagKey,
    variationIds,
    app: appOf("client"),
    server: appOf("server"),
    allocations,
  };
  await untilServed(ground, site);
  return site;
}

const lookAgainMs = 50;
/** A commit is at the gate within a minute. */
const giveUpMs = 90_000;

/** Waits until what was changed is what visitors get. */
export async function untilServed({ management }: Ground, { app }: Pick<Site, "app">): Promise<void> {
  const { version } = await untilPublished(management, giveUpMs);
  const giveUpAtMs = Date.now() + giveUpMs;
  while ((await app.version().catch(() => 0)) < version) {
    if (Date.now() > giveUpAtMs) throw new Error(`version ${version} of the configuration is not served`);
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  }
}

export async function changeStatus(
  ground: Ground,
  site: Site,
  status: "active" | "paused" | "completed",
): Promise<void> {
  await ground.management.send("POST", `/experiments/${site.experimentId}/status`, { status });
  await untilServed(ground, site);
}

/** Pauses the experiment, changes it, and activates it again, as operators must. */
export async function changeWhilePaused(
  ground: Ground,
  site: Site,
  change: (send: Management["send"]) => Promise<unknown>,
): Promise<void> {
  await changeStatus(ground, site, "paused");
  await change(ground.management.send);
  await changeStatus(ground, site, "active");
}
