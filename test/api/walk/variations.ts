import type { Answer, Client } from "../client.ts";
import { bodyOf, createFlag, type FlagStage } from "../experiment-stage.ts";
import { plant } from "../management/refusal.ts";
import { type Case, nobody, type Walk } from "./walk.ts";

const unknown = { nothing: { value: "x" } };
const mistyped = { title: { value: 1 } };
const same = { title: { value: "Hello" } };
const large = { title: { value: "x".repeat(2_000) } };

const path = ({ id }: { id: string }) => `/feature-flags/${id}/variations`;
const first = (flag: FlagStage) => `${path(flag)}/${flag.variations[0]}`;

/** A case on a flag with two variations. */
const onFlag =
  (run: (client: Client, flag: FlagStage) => Promise<Answer>): Case =>
  async (client) =>
    run(client, await createFlag(client, { status: "draft" }));

const creating = (body: object): Case =>
  onFlag(({ send }, flag) => send("POST", path(flag), { name: "Third", overrides: {}, ...body }));
const updating = (body: object): Case => onFlag(({ send }, flag) => send("PATCH", first(flag), body));

const provided = async (client: Client, { id }: FlagStage) =>
  plant(client, "feature_flag", { ...(await client.get(`/feature-flags/${id}`)), type: "auth0" });
const archive = (client: Client, { id }: FlagStage) =>
  client.post(`/feature-flags/${id}/status`, { status: "archived" });

/** The same after something was done to the flag. */
const after = (prepare: (client: Client, flag: FlagStage) => Promise<unknown>, method: string, body?: object): Case =>
  onFlag(async (client, flag) => {
    await prepare(client, flag);
    return client.send(method, method === "POST" ? path(flag) : first(flag), body);
  });

const third = { name: "Third", overrides: {} };

export const variations: Walk = {
  get_variations: {
    200: onFlag(({ send }, flag) => send("GET", path(flag))),
    feature_flag_not_found: ({ send }) => send("GET", path({ id: nobody("flg") })),
  },
  create_variation: {
    201: creating({ description: "One more", key: "third", overrides: { title: { value: "Hi" } } }),
    invalid_override_key: creating({ overrides: unknown }),
    override_type_mismatch: creating({ overrides: mistyped }),
    override_is_default: creating({ overrides: same }),
    override_too_large: creating({ overrides: large }),
    async variation_limit_exceeded(client) {
      const flag = await createFlag(client, { status: "draft", count: 20 });
      return client.send("POST", path(flag), third);
    },
    feature_flag_read_only: after(provided, "POST", third),
    feature_flag_not_found: ({ send }) => send("POST", path({ id: nobody("flg") }), third),
    feature_flag_archived: after(archive, "POST", third),
    variation_name_taken: creating({ name: "Number 0", key: "another" }),
    variation_key_taken: creating({ key: "number_0" }),
  },
  get_variation: {
    200: onFlag(({ send }, flag) => send("GET", first(flag))),
    feature_flag_not_found: onFlag(({ send }, { variations }) =>
      send("GET", `${path({ id: nobody("flg") })}/${variations[0]}`),
    ),
    variation_not_found: onFlag(({ send }, flag) => send("GET", `${path(flag)}/${nobody("var")}`)),
  },
  update_variation: {
    200: updating({ name: "Control", description: null, overrides: {} }),
    invalid_override_key: updating({ overrides: unknown }),
    override_type_mismatch: updating({ overrides: mistyped }),
    override_is_default: updating({ overrides: same }),
    override_too_large: updating({ overrides: large }),
    feature_flag_read_only: after(provided, "PATCH", { name: "Mine" }),
    feature_flag_not_found: onFlag(({ send }, { variations }) =>
      send("PATCH", `${path({ id: nobody("flg") })}/${variations[0]}`, { name: "Mine" }),
    ),
    variation_not_found: onFlag(({ send }, flag) => send("PATCH", `${path(flag)}/${nobody("var")}`, { name: "Mine" })),
    feature_flag_archived: after(archive, "PATCH", { name: "Mine" }),
    variation_name_taken: updating({ name: "Number 1" }),
  },
  delete_variation: {
    204: onFlag(({ send }, flag) => send("DELETE", first(flag))),
    async last_variation(client) {
      const flag = await createFlag(client, { status: "draft", count: 1 });
      return client.send("DELETE", first(flag));
    },
    feature_flag_read_only: after(provided, "DELETE"),
    feature_flag_not_found: ({ send }) => send("DELETE", `${path({ id: nobody("flg") })}/${nobody("var")}`),
    feature_flag_archived: after(archive, "DELETE"),
    variation_in_use: after((client, flag) => client.post("/experiments", bodyOf(flag)), "DELETE"),
    variation_referenced: after(
      (client, { id }) =>
        client.patch(`/feature-flags/${id}`, { rollout: { all_users: { percentage: 100, weights: { number_0: 1 } } } }),
      "DELETE",
    ),
  },
};
