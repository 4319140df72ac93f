import type { Topic } from "../operation-words.ts";

export const featureFlags: Topic = {
  name: "Feature flags",
  description: "Parameters of a page, which variations override, and how the flag is rolled out without an experiment.",
  operations: {
    get_feature_flags: {
      summary: "List feature flags",
      description: "Page by page, in the order they were made. Filters are exact; several must all match.",
      answer: "FeatureFlagPage",
      refusals: [],
    },
    create_feature_flag: {
      summary: "Create a feature flag",
      description: "It begins as a draft. Without a `key`, its name gives one.",
      answer: "FeatureFlag",
      refusals: [
        "parameter_type_mismatch",
        "parameter_too_large",
        "invalid_rollout",
        "unknown_deployment",
        "feature_flag_name_taken",
        "feature_flag_key_taken",
      ],
    },
    get_feature_flag: {
      summary: "Get a feature flag",
      description: "One flag with its parameters and its rollout.",
      answer: "FeatureFlag",
      refusals: ["feature_flag_not_found"],
    },
    update_feature_flag: {
      summary: "Change a feature flag",
      description:
        "Only what is sent changes; `parameters`, `deployments` and `rollout` are replaced as a whole, null takes a description or a rollout away. Experiments on the flag are validated anew.",
      answer: "FeatureFlag",
      refusals: [
        "parameter_type_mismatch",
        "parameter_too_large",
        "invalid_rollout",
        "unknown_deployment",
        "feature_flag_read_only",
        "feature_flag_not_found",
        "feature_flag_name_taken",
        "feature_flag_archived",
      ],
    },
    delete_feature_flag: {
      summary: "Delete a feature flag",
      description: "Its variations go with it. Deleting what is not there succeeds too.",
      refusals: ["feature_flag_read_only", "feature_flag_in_use", "feature_flag_referenced"],
    },
    update_feature_flag_status: {
      summary: "Move a feature flag on",
      description:
        "draft → active or archived, active → archived. Activation needs two variations; what is archived stays so.",
      answer: "FeatureFlag",
      refusals: [
        "invalid_status_transition",
        "feature_flag_too_few_variations",
        "feature_flag_read_only",
        "feature_flag_not_found",
      ],
    },
  },
};
