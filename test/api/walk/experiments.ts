import type { Client } from "../client.ts";
import {
  bodyOf,
  createExperiment,
  createFlag,
  createSegment,
  type FlagStage,
  type Status,
  segmentBodyOf,
  shares,
} from "../experiment-stage.ts";
import { type Case, nobody, type Walk } from "./walk.ts";

const path = (id: string) => `/experiments/${id}`;

const creating =
  (changes: object): Case =>
  async (client) =>
    client.send("POST", "/experiments", bodyOf(await createFlag(client), changes));

/** An experiment in `status`, then one request about it. */
const on =
  (status: Status, method: string, under: string, body?: object, changes: object = {}): Case =>
  async (client) => {
    const { id } = await createExperiment(client, status, bodyOf(await createFlag(client), changes));
    return client.send(method, path(id) + under, body);
  };
const updating = (status: Status, body: object): Case => on(status, "PATCH", "", body);
const moving = (status: Status, to: string, changes: object = {}): Case =>
  on(status, "POST", "/status", { status: to }, changes);

/** A draft that one thing alone keeps from being activated. */
const activating =
  (changes: (flag: FlagStage, client: Client) => object | Promise<object>, options: { status?: "draft" } = {}): Case =>
  async (client) => {
    const flag = await createFlag(client, options);
    const { id } = await client.post("/experiments", bodyOf(flag, await changes(flag, client)));
    return client.send("POST", `${path(id)}/status`, { status: "active" });
  };

/** Of a segment experiment, beside what the segment gets. */
const activatingSegments = (...rest: ((flag: FlagStage) => object)[]): Case =>
  activating(async (flag, client) => {
    const segment_id = await createSegment(client);
    const targeted = { variation_id: flag.variations[1], is_control: false, segment_id, priority: 1 };
    return { allocation_strategy: "segment", allocations: [targeted, ...rest.map((each) => each(flag))] };
  });
const fallback =
  (index: number, changes: object = {}) =>
  (flag: FlagStage) => ({
    variation_id: flag.variations[index],
    is_control: index === 0,
    is_fallback: true,
    ...changes,
  });

const foreign = [{ variation_id: nobody("var"), is_control: true, weight: 100 }];
const many = Array.from({ length: 21 }, () => ({ variation_id: nobody("var"), is_control: false, weight: 0 }));
const elsewhere = [{ variation_id: nobody("var"), is_control: true, segment_id: nobody("seg"), priority: 1 }];

export const experiments: Walk = {
  get_experiments: {
    async 200(client) {
      const flag = await createFlag(client);
      for (const name of ["Warmer login", "Shorter login"]) await client.post("/experiments", bodyOf(flag, { name }));
      return client.send(
        "GET",
        `/experiments?take=1&status=draft&authentication_flow=authentication&feature_flag_id=${flag.id}`,
      );
    },
  },
  create_experiment: {
    async 201(client) {
      const flag = await createFlag(client);
      const body = segmentBodyOf(flag, await createSegment(client), {
        description: "All of it",
        is_stateful: true,
        bucketing_salt: "salt",
      });
      return client.send("POST", "/experiments", body);
    },
    too_many_allocations: creating({ allocations: many }),
    unknown_segment: creating({ allocation_strategy: "segment", allocations: elsewhere }),
    experiment_incomplete: creating({ allocations: undefined }),
    async experiment_draft_limit_exceeded(client) {
      const flag = await createFlag(client);
      for (let index = 0; index < 100; index++)
        await client.post("/experiments", bodyOf(flag, { name: `Number ${index}` }));
      return client.send("POST", "/experiments", bodyOf(flag));
    },
    feature_flag_not_found: creating({ feature_flag_id: nobody("flg") }),
    async experiment_name_taken(client) {
      const flag = await createFlag(client);
      await client.post("/experiments", bodyOf(flag));
      return client.send("POST", "/experiments", bodyOf(flag));
    },
  },
  get_experiment: {
    200: on("completed", "GET", "", undefined, { levels: [10, 100] }),
    experiment_not_found: ({ send }) => send("GET", path(nobody("exp"))),
  },
  update_experiment: {
    200: updating("draft", {
      description: null,
      authentication_flow: "mfa_challenge",
      assignment_config: { subject: "user" },
      allocations: foreign,
      levels: [5, 50],
      bucketing_salt: null,
    }),
    too_many_allocations: updating("draft", { allocations: many }),
    async unknown_segment(client) {
      const body = segmentBodyOf(await createFlag(client), await createSegment(client));
      const { id } = await client.post("/experiments", body);
      return client.send("PATCH", path(id), { allocations: elsewhere });
    },
    variation_not_from_flag: updating("paused", { allocations: foreign }),
    experiment_requires_pause: updating("active", { allocations: foreign }),
    authentication_flow_locked: updating("paused", { authentication_flow: "mfa_challenge" }),
    assignment_config_locked: updating("paused", { assignment_config: { subject: "user" } }),
    levels_locked: updating("paused", { levels: [5, 50] }),
    experiment_locked: updating("completed", { allocations: foreign }),
    experiment_not_found: ({ send }) => send("PATCH", path(nobody("exp")), { name: "Mine" }),
    async experiment_name_taken(client) {
      const flag = await createFlag(client);
      await client.post("/experiments", bodyOf(flag, { name: "Another" }));
      const { id } = await client.post("/experiments", bodyOf(flag));
      return client.send("PATCH", path(id), { name: "Another" });
    },
  },
  delete_experiment: {
    204: on("paused", "DELETE", ""),
    experiment_is_active: on("active", "DELETE", ""),
  },
  update_experiment_status: {
    200: moving("draft", "active"),
    invalid_status_transition: moving("draft", "paused"),
    experiment_completed: moving("completed", "active"),
    experiment_validation_failed: activating(({ variations }) => ({
      allocations: [{ variation_id: variations[0], is_control: false, weight: 1 }],
    })),
    feature_flag_not_active: activating(() => ({}), { status: "draft" }),
    experiment_missing_control: activating((flag) => ({
      allocations: shares(flag).map((share) => ({ ...share, is_control: false })),
    })),
    experiment_invalid_allocation_weights: activating((flag) => ({ allocations: shares(flag, [50, 49]) })),
    experiment_missing_default: activating(async ({ variations }, client) => ({
      allocation_strategy: "segment",
      allocations: [
        { variation_id: variations[0], is_control: true, segment_id: await createSegment(client), priority: 1 },
      ],
    })),
    experiment_multiple_defaults: activatingSegments(fallback(0), fallback(1)),
    experiment_incomplete_allocation: activatingSegments(fallback(0), fallback(1, { is_fallback: false })),
    experiment_duplicate_allocation: activating((flag) => ({
      allocations: shares(flag).map((share) => ({ ...share, variation_id: flag.variations[0] })),
    })),
    experiment_invalid_levels: activating(() => ({ levels: [50, 5] })),
    experiment_user_not_verifiable: activating(() => ({ assignment_config: { subject: "user" } })),
    async feature_flag_too_few_variations(client) {
      const flag = await createFlag(client);
      await client.delete(`/feature-flags/${flag.id}/variations/${flag.variations[1]}`);
      const { id } = await client.post("/experiments", bodyOf(flag, { allocations: shares(flag, [100]) }));
      return client.send("POST", `${path(id)}/status`, { status: "active" });
    },
    feature_flag_shared: {
      tenant: { active_experiment_limit: 2 },
      async run(client) {
        const flag = await createFlag(client);
        await createExperiment(client, "active", bodyOf(flag, { name: "The other" }));
        const { id } = await client.post("/experiments", bodyOf(flag));
        return client.send("POST", `${path(id)}/status`, { status: "active" });
      },
    },
    async experiment_active_limit_exceeded(client) {
      const flag = await createFlag(client, { name: "Sign-up page" });
      await createExperiment(client, "active", bodyOf(flag, { name: "The other" }));
      const { id } = await client.post("/experiments", bodyOf(await createFlag(client)));
      return client.send("POST", `${path(id)}/status`, { status: "active" });
    },
    variation_not_from_flag: activating(async (_, client) => ({
      allocations: shares(await createFlag(client, { name: "Sign-up page" })),
    })),
    experiment_not_found: ({ send }) => send("POST", `${path(nobody("exp"))}/status`, { status: "active" }),
  },
  validate_experiment: {
    200: on("draft", "POST", "/validate", undefined, { allocations: foreign }),
    experiment_not_found: ({ send }) => send("POST", `${path(nobody("exp"))}/validate`),
  },
  advance_experiment_ramp: {
    200: on("active", "POST", "/advance-ramp", { target_level: 50 }, { levels: [5, 50] }),
    invalid_ramp_level: on("active", "POST", "/advance-ramp", { target_level: 60 }, { levels: [5, 50] }),
    experiment_not_found: ({ send }) => send("POST", `${path(nobody("exp"))}/advance-ramp`, { target_level: 50 }),
  },
};
