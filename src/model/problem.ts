/** Every way in which the management API says no: code → status and words. docs/problems.md says what to do about each. */
import { controlUnavailable } from "./control-unavailable.ts";

/** Titles that the Experiment Center documents are its own, word for word. */
export const problems = {
  invalid_body: { status: 400, title: "Invalid request body." },
  invalid_query_string: { status: 400, title: "Invalid request query string." },
  tenant_required: { status: 400, title: "This host serves several tenants: name one in X-Vestibule-Tenant." },
  parameter_type_mismatch: { status: 400, title: "Parameter value does not match the declared type." },
  parameter_too_large: { status: 400, title: "Parameter value exceeds maximum size of 1KB." },
  invalid_override_key: { status: 400, title: "Invalid override key." },
  override_type_mismatch: { status: 400, title: "Override value type does not match the parameter type." },
  override_is_default: {
    status: 400,
    title: "Override value must differ from the feature flag parameter default value.",
  },
  override_too_large: { status: 400, title: "Override value exceeds maximum size of 1KB." },
  variation_limit_exceeded: { status: 400, title: "Feature flag variation limit exceeded." },
  last_variation: {
    status: 400,
    title: "Feature flag must have at least one variation. Cannot delete the last variation.",
  },
  feature_flag_too_few_variations: {
    status: 400,
    title: "Feature flag must have at least 2 variations to be activated.",
  },
  invalid_rollout: { status: 400, title: "The rollout refers to what does not exist, or cannot be evaluated." },
  invalid_segment_rules: { status: 400, title: "The segment's rules cannot be evaluated." },
  invalid_group: { status: 400, title: "The group cannot be formed." },
  too_many_allocations: { status: 400, title: "Experiments may have at most 20 allocations." },
  experiment_incomplete: {
    status: 400,
    title: "Beta path requires allocation_strategy, assignment_config, and allocations.",
  },
  unknown_deployment: { status: 400, title: "Deployment not found." },
  variation_not_from_flag: { status: 400, title: "Variation does not belong to the referenced feature flag." },
  unknown_segment: { status: 400, title: "Segment not found." },
  experiment_draft_limit_exceeded: {
    status: 400,
    title:
      "Experiment draft limit exceeded. A tenant may hold at most 100 experiments in draft status; archive or activate an existing draft to create another.",
  },
  experiment_is_active: {
    status: 400,
    title: "Active experiments cannot be deleted. Pause or complete the experiment first.",
  },
  experiment_requires_pause: { status: 400, title: "Cannot modify allocations on an active experiment" },
  authentication_flow_locked: {
    status: 400,
    title: "Authentication flow cannot be modified once an experiment has been activated.",
  },
  assignment_config_locked: {
    status: 400,
    title: "Assignment configuration cannot be modified once an experiment has been activated.",
  },
  levels_locked: { status: 400, title: "Levels can only be modified on draft experiments." },
  experiment_locked: { status: 400, title: "Completed and archived experiments keep the split they ran with." },
  invalid_status_transition: { status: 400, title: "Status transition is not allowed." },
  experiment_completed: { status: 400, title: "Completed experiments cannot be reactivated." },
  experiment_validation_failed: { status: 400, title: "Experiment cannot be activated: validation failed." },
  feature_flag_not_active: { status: 400, title: "Experiment cannot be activated: validation failed." },
  feature_flag_shared: { status: 400, title: "Experiment cannot be activated: validation failed." },
  experiment_active_limit_exceeded: { status: 400, title: "Experiment cannot be activated: validation failed." },
  experiment_missing_allocations: { status: 400, title: "Experiment cannot be activated: validation failed." },
  experiment_missing_control: { status: 400, title: "Experiment cannot be activated: validation failed." },
  experiment_invalid_allocation_weights: { status: 400, title: "Experiment cannot be activated: validation failed." },
  experiment_missing_default: { status: 400, title: "Experiment cannot be activated: validation failed." },
  experiment_multiple_defaults: { status: 400, title: "Experiment cannot be activated: validation failed." },
  experiment_incomplete_allocation: { status: 400, title: "Experiment cannot be activated: validation failed." },
  experiment_duplicate_allocation: { status: 400, title: "Experiment cannot be activated: validation failed." },
  experiment_invalid_levels: { status: 400, title: "Experiment cannot be activated: validation failed." },
  experiment_user_not_verifiable: { status: 400, title: "Experiment cannot be activated: validation failed." },
  invalid_ramp_level: { status: 400, title: "The ramp goes up only, one level at a time." },
  cohort_not_fetched: { status: 400, title: "The cohort's members are pushed: there is no source to fetch them from." },
  cohort_not_pushed: { status: 400, title: "The cohort's members are fetched from its source, and cannot be pushed." },
  invalid_members: { status: 400, title: "The members cannot be read; nothing was changed." },
  log_stream_limit_exceeded: { status: 400, title: "Log stream limit exceeded." },
  snapshot_too_large: { status: 400, title: "The configuration would exceed what is read in time at the edge." },
  invalid_import: { status: 400, title: "The file cannot be imported; nothing was changed." },

  invalid_token: { status: 401, title: "Invalid token." },
  invalid_signature: { status: 401, title: "Invalid signature received for JSON Web Token validation." },
  insufficient_scope: { status: 403, title: "Insufficient scope; expected any of:" },
  feature_not_entitled: { status: 403, title: "Experiment Center is not enabled for this tenant" },
  feature_flag_read_only: { status: 403, title: "Feature flag cannot be modified." },
  segment_read_only: { status: 403, title: "Segment cannot be modified." },

  address_not_found: { status: 404, title: "There is nothing at this address." },
  tenant_not_found: { status: 404, title: "Tenant not found." },
  feature_flag_not_found: { status: 404, title: "Feature flag not found." },
  variation_not_found: { status: 404, title: "Variation not found." },
  experiment_not_found: { status: 404, title: "Experiment not found." },
  segment_not_found: { status: 404, title: "Segment not found." },
  group_not_found: { status: 404, title: "Group not found." },
  cohort_not_found: { status: 404, title: "Cohort not found." },
  deployment_not_found: { status: 404, title: "Deployment not found." },
  log_stream_not_found: { status: 404, title: "Log stream not found." },
  log_not_found: { status: 404, title: "Log entry not found." },
  token_not_found: { status: 404, title: "Token not found." },
  method_not_allowed: { status: 405, title: "This address does not know the method." },

  feature_flag_name_taken: { status: 409, title: "A feature flag with this name already exists." },
  feature_flag_key_taken: { status: 409, title: "A feature flag with this key already exists." },
  feature_flag_in_use: {
    status: 409,
    title: "Feature flag is in use by one or more non-archived experiments and cannot be deleted.",
  },
  feature_flag_referenced: {
    status: 409,
    title: "Feature flag is referred to by other feature flags or groups and cannot be deleted.",
  },
  feature_flag_archived: { status: 409, title: "Feature flag is archived and cannot be modified." },
  variation_name_taken: { status: 409, title: "A variation with this name already exists on this feature flag." },
  variation_key_taken: { status: 409, title: "A variation with this key already exists on this feature flag." },
  variation_in_use: {
    status: 409,
    title: "Variation is in use by one or more non-archived allocations and cannot be deleted.",
  },
  variation_referenced: {
    status: 409,
    title: "Variation is referred to by the rollout of a feature flag and cannot be deleted.",
  },
  experiment_name_taken: { status: 409, title: "An experiment with this name already exists." },
  segment_name_taken: { status: 409, title: "A segment with this name already exists." },
  segment_in_use: { status: 409, title: "Segment is in use by one or more non-archived experiment allocations." },
  group_name_taken: { status: 409, title: "A group with this name already exists." },
  group_key_taken: { status: 409, title: "A group with this key already exists." },
  cohort_name_taken: { status: 409, title: "A cohort with this name already exists." },
  cohort_in_use: { status: 409, title: "Cohort is in use by one or more segments or feature flags." },
  deployment_name_taken: { status: 409, title: "A deployment with this name already exists." },
  deployment_in_use: { status: 409, title: "Deployment is in use by one or more feature flags." },
  log_stream_name_taken: { status: 409, title: "A log stream with this name already exists." },
  token_name_taken: { status: 409, title: "A token with this name already exists." },

  body_too_large: { status: 413, title: "The request body is too large." },
  unsupported_media_type: { status: 415, title: "Send application/json or application/x-www-form-urlencoded." },
  too_many_requests: {
    status: 429,
    title: "Too many requests. Check the X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset headers.",
  },
  internal_error: { status: 500, title: "Something failed on our side." },
  issuer_unavailable: { status: 503, title: "The keys of the tenant's token issuer cannot be fetched; try again." },
  cohorts_unavailable: { status: 503, title: "The members of cohorts cannot be reached; try again." },
  logs_unavailable: { status: 503, title: "The log cannot be reached; try again." },
  ledger_unavailable: { status: 503, title: "Some of what is known of the subject cannot be reached; try again." },
  control_unavailable: controlUnavailable,
} as const satisfies Record<string, { status: number; title: string }>;

export type ManagementCode = keyof typeof problems;

/** An expected refusal. Thrown by a command, answered at the border; anything else that is thrown is a bug. */
export class Problem extends Error {
  readonly code: ManagementCode;

  /**
   * @param detail said after the title: what is wrong here, and what would be right
   * @param title where a code is answered in more than one place, the title that belongs to this one
   */
  constructor(code: ManagementCode, detail?: string, title: string = problems[code].title) {
    super(detail === undefined ? title : `${title} ${detail}`);
    this.code = code;
  }
}
