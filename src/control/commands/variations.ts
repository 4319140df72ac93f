import { type FeatureFlag, isParameterValue, parameterOf } from "../../model/feature-flag.ts";
import { isSameJson, isTooLarge } from "../../model/json-value.ts";
import { Problem } from "../../model/problem.ts";
import { variationsOf } from "../../model/resources.ts";
import { shown } from "../../model/shown.ts";
import {
  maxVariations,
  type Variation,
  type VariationCreate,
  type VariationPatch,
  variationKeySchema,
} from "../../model/variation.ts";
import { type CommandContext, type Input, merged } from "../command.ts";
import type { Draft } from "../tables.ts";
import { chooseKey } from "./choose-key.ts";
import { expectEditableFlag, findFlag } from "./find-flag.ts";
import { expectUnusedVariation } from "./flag-users.ts";

type One = Input<"id" | "vid", unknown>;

export const variationCommands = {
  get_variations({ draft }: CommandContext, { params }: Input<"id", unknown>) {
    return { variations: siblings(draft, findFlag(draft, params.id)).map(present) };
  },

  create_variation({ draft, at, newId }: CommandContext, { params, body }: Input<"id", unknown, VariationCreate>) {
    const flag = findFlag(draft, params.id);
    expectEditableFlag(flag);
    expectOverrides(flag, body.overrides);
    const others = siblings(draft, flag);
    if (others.length >= maxVariations) {
      throw new Problem("variation_limit_exceeded", `It may have at most ${maxVariations}.`);
    }
    expectFreeName(others, body.name);
    const { key: given, ...fields } = body;
    const variation: Variation = {
      id: newId("var"),
      feature_flag_id: flag.id,
      ...fields,
      key: chooseKey({
        given,
        name: body.name,
        kind: "variation",
        schema: variationKeySchema,
        taken: new Set(others.map(({ key }) => key)),
        whenTaken: "variation_key_taken",
      }),
      created_at: at,
      updated_at: at,
    };
    draft.put("variation", variation);
    return present(variation);
  },

  get_variation({ draft }: CommandContext, { params }: One) {
    return present(findVariation(draft, findFlag(draft, params.id), params.vid));
  },

  update_variation({ draft, at }: CommandContext, { params, body }: Input<"id" | "vid", unknown, VariationPatch>) {
    const flag = findFlag(draft, params.id);
    const variation = findVariation(draft, flag, params.vid);
    expectEditableFlag(flag);
    if (body.overrides !== undefined) expectOverrides(flag, body.overrides);
    if (body.name !== undefined) expectFreeName(siblings(draft, flag), body.name, variation.id);
    const changed = { ...merged(variation, body), updated_at: at };
    draft.put("variation", changed);
    return present(changed);
  },

  delete_variation({ draft }: CommandContext, { params }: One) {
    const flag = findFlag(draft, params.id);
    const variation = draft.get("variation", params.vid);
    if (variation?.feature_flag_id !== flag.id) return;
    expectEditableFlag(flag);
    if (siblings(draft, flag).length === 1) throw new Problem("last_variation");
    expectUnusedVariation(draft, flag, variation);
    draft.remove("variation", variation.id);
  },
};

const present = (variation: Variation) => shown("variation", variation);
const siblings = (draft: Draft, flag: FeatureFlag) => variationsOf(flag, draft.resources());

/** One of another flag is none of this one. @throws {Problem} */
function findVariation(draft: Draft, flag: FeatureFlag, id: string): Variation {
  const variation = draft.get("variation", id);
  if (variation?.feature_flag_id !== flag.id) throw new Problem("variation_not_found");
  return variation;
}

function expectOverrides(flag: FeatureFlag, overrides: Variation["overrides"]): void {
  for (const [name, { value }] of Object.entries(overrides)) {
    const parameter = parameterOf(flag, name);
    const field = `overrides.${name}`;
    if (parameter === undefined) {
      const known = Object.keys(flag.parameters ?? {}).join(", ");
      throw new Problem("invalid_override_key", `${field}: the feature flag's parameters are: ${known}.`);
    }
    if (!isParameterValue(parameter.type, value)) {
      throw new Problem("override_type_mismatch", `${field}.value: must be of type ${parameter.type}.`);
    }
    if (isTooLarge(value)) {
      throw new Problem("override_too_large", `${field}.value: must have at most 1024 bytes when written as JSON.`);
    }
    if (isSameJson(value, parameter.value)) {
      throw new Problem("override_is_default", `${field}.value: leave out what is not to differ.`);
    }
  }
}

/** @param own the id of the variation that may bear the name */
function expectFreeName(others: readonly Variation[], name: string, own?: string): void {
  const namesake = others.find((variation) => variation.name === name && variation.id !== own);
  if (namesake !== undefined) throw new Problem("variation_name_taken", `name: it is that of ${namesake.id}.`);
}
