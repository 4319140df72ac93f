import type { Topic } from "../operation-words.ts";

const overrides = [
  "invalid_override_key",
  "override_type_mismatch",
  "override_is_default",
  "override_too_large",
] as const;

export const variations: Topic = {
  name: "Variations",
  description: "What a feature flag's parameters become for those who get the variation.",
  operations: {
    get_variations: {
      summary: "List a flag's variations",
      description: "All of them, in the order they were made.",
      answer: "VariationList",
      refusals: ["feature_flag_not_found"],
    },
    create_variation: {
      summary: "Create a variation",
      description: "Without a `key`, its name gives one. Empty `overrides` make the baseline.",
      answer: "Variation",
      refusals: [
        ...overrides,
        "variation_limit_exceeded",
        "feature_flag_read_only",
        "feature_flag_not_found",
        "feature_flag_archived",
        "variation_name_taken",
        "variation_key_taken",
      ],
    },
    get_variation: {
      summary: "Get a variation",
      description: "One variation with its overrides.",
      answer: "Variation",
      refusals: ["feature_flag_not_found", "variation_not_found"],
    },
    update_variation: {
      summary: "Change a variation",
      description: "Only what is sent changes; `overrides` are replaced as a whole, `description: null` takes it away.",
      answer: "Variation",
      refusals: [
        ...overrides,
        "feature_flag_read_only",
        "feature_flag_not_found",
        "variation_not_found",
        "feature_flag_archived",
        "variation_name_taken",
      ],
    },
    delete_variation: {
      summary: "Delete a variation",
      description: "Deleting what is not there succeeds too, as long as the feature flag is there.",
      refusals: [
        "last_variation",
        "feature_flag_read_only",
        "feature_flag_not_found",
        "feature_flag_archived",
        "variation_in_use",
        "variation_referenced",
      ],
    },
  },
};
