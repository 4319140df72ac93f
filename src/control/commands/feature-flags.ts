import { gateDeployment } from "../../model/deployment.ts";
import {
  type FeatureFlag,
  type FeatureFlagCreate,
  type FeatureFlagPatch,
  type FeatureFlagStatus,
  flagKeySchema,
  isParameterValue,
  nextFlagStatuses,
  type Parameters,
} from "../../model/feature-flag.ts";
import { isTooLarge } from "../../model/json-value.ts";
import { type PageQuery, pageOf } from "../../model/page.ts";
import { Problem } from "../../model/problem.ts";
import { variationsOf } from "../../model/resources.ts";
import { shown } from "../../model/shown.ts";
import { type CommandContext, type Input, merged } from "../command.ts";
import type { Draft } from "../tables.ts";
import { chooseKey } from "./choose-key.ts";
import { expectEditableFlag, expectOwnFlag, findFlag } from "./find-flag.ts";
import { expectUnusedFlag } from "./flag-users.ts";
import { expectSoundRollout, startEpochs } from "./rollout.ts";

type Id = Input<"id", unknown>;
type Filter = Partial<Pick<FeatureFlag, "type" | "status">>;

export const featureFlagCommands = {
  get_feature_flags({ draft }: CommandContext, { query }: Input<never, PageQuery & Filter>) {
    const { type, status } = query;
    const rows = draft
      .rows("feature_flag")
      .filter(
        ({ item }) => (type === undefined || item.type === type) && (status === undefined || item.status === status),
      );
    const { items, ...page } = pageOf(rows, query);
    return { feature_flags: items.map(present), ...page };
  },

  create_feature_flag({ draft, at, newId }: CommandContext, { body }: Input<never, unknown, FeatureFlagCreate>) {
    const { key: given, ...fields } = body;
    expectBody(draft, fields);
    expectFreeName(draft, body.name);
    const flag: FeatureFlag = {
      id: newId("flg"),
      deployments: [gateDeployment],
      ...fields,
      type: "self",
      status: "draft",
      key: chooseKey({
        given,
        name: body.name,
        kind: "flag",
        schema: flagKeySchema,
        taken: new Set(draft.all("feature_flag").map(({ key }) => key)),
        whenTaken: "feature_flag_key_taken",
      }),
      created_at: at,
      updated_at: at,
    };
    draft.put("feature_flag", flag);
    expectSoundRollout(draft, flag);
    return present(flag);
  },

  get_feature_flag({ draft }: CommandContext, { params }: Id) {
    return present(findFlag(draft, params.id));
  },

  update_feature_flag({ draft, at }: CommandContext, { params, body }: Input<"id", unknown, FeatureFlagPatch>) {
    const before = findFlag(draft, params.id);
    expectEditableFlag(before);
    expectBody(draft, body);
    if (body.name !== undefined) expectFreeName(draft, body.name, before.id);
    const flag = { ...merged(before, body), updated_at: at };
    draft.put("feature_flag", flag);
    // What an earlier rollout refers to may be gone by now; that must not lock the flag's other fields.
    if (body.rollout !== undefined) expectSoundRollout(draft, flag);
    startEpochs(draft, before, flag, at);
    return present(flag);
  },

  delete_feature_flag({ draft }: CommandContext, { params }: Id) {
    const flag = draft.get("feature_flag", params.id);
    if (flag === undefined) return;
    expectOwnFlag(flag);
    expectUnusedFlag(draft, flag);
    for (const { id } of variationsOf(flag, draft.resources())) draft.remove("variation", id);
    draft.remove("feature_flag", flag.id);
  },

  update_feature_flag_status(
    { draft, at }: CommandContext,
    { params, body }: Input<"id", unknown, { status: FeatureFlagStatus }>,
  ) {
    const flag = findFlag(draft, params.id);
    expectOwnFlag(flag);
    const next = nextFlagStatuses[flag.status];
    if (!next.includes(body.status)) {
      const choice = next.length === 0 ? "stays so; create a new flag" : `may become ${next.join(" or ")}`;
      throw new Problem("invalid_status_transition", `A feature flag that is ${flag.status} ${choice}.`);
    }
    const count = variationsOf(flag, draft.resources()).length;
    if (body.status === "active" && count < 2) {
      throw new Problem("feature_flag_too_few_variations", `It has ${count}.`);
    }
    const changed = { ...flag, status: body.status, updated_at: at };
    draft.put("feature_flag", changed);
    return present(changed);
  },
};

const present = (flag: FeatureFlag) => shown("feature_flag", flag);

/** Of what both create and update take, all that does not depend on the flag itself. @throws {Problem} */
function expectBody(draft: Draft, { parameters = {}, deployments = [] }: Partial<FeatureFlagPatch>): void {
  expectParameters(parameters);
  deployments.forEach((id, index) => {
    if (id !== gateDeployment && draft.get("deployment", id) === undefined) {
      const choice = `It must be "${gateDeployment}" or the id of a deployment.`;
      throw new Problem("unknown_deployment", `deployments[${index}]: there is no deployment ${id}. ${choice}`);
    }
  });
}

function expectParameters(parameters: Parameters): void {
  for (const [name, { type, value }] of Object.entries(parameters)) {
    const field = `parameters.${name}.value`;
    if (!isParameterValue(type, value)) {
      throw new Problem("parameter_type_mismatch", `${field}: must be of the declared type, ${type}.`);
    }
    if (isTooLarge(value)) {
      throw new Problem("parameter_too_large", `${field}: must have at most 1024 bytes when written as JSON.`);
    }
  }
}

/** @param own the id of the flag that may bear the name */
function expectFreeName(draft: Draft, name: string, own?: string): void {
  const namesake = draft.all("feature_flag").find((flag) => flag.name === name && flag.id !== own);
  if (namesake !== undefined) throw new Problem("feature_flag_name_taken", `name: it is that of ${namesake.id}.`);
}
