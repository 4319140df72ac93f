/** Errors and warnings of validation, each with a link to the page where it is corrected. */
import type { ValidationWarning } from "../../model/check/warn-experiment.ts";
import type { PresentedExperiment, ValidationError } from "../../model/present-experiment.ts";
import { pageAt } from "../address.ts";
import { Icon } from "../parts/status.tsx";

interface ChecklistProps {
  errors?: readonly ValidationError[];
  warnings?: readonly ValidationWarning[];
  experiment: PresentedExperiment;
}

export function Checklist({ errors = [], warnings = [], experiment }: ChecklistProps) {
  return (
    <ul class="lines checklist">
      {[...errors, ...warnings].map(({ code, message }, place) => {
        const [href, words] = mend(code, experiment);
        return (
          <li>
            <Icon shape={place < errors.length ? "fail" : "warn"} /> {message}.{" "}
            <a href={href}>
              {words}
              <span class="unseen">: {code.replaceAll("_", " ")}</span>
            </a>
          </li>
        );
      })}
    </ul>
  );
}

function mend(code: string, { id, feature_flag_id, allocations }: PresentedExperiment): [string, string] {
  const flag = pageAt`/flags/${feature_flag_id}`;
  if (code === "feature_flag_not_active") return [`${flag}/status?to=active`, "Activate the flag"];
  if (code === "experiment_active_limit_exceeded")
    return [`${pageAt`/experiments`}?status=active`, "See what is active"];
  if (code === "feature_flag_too_few_variations") return [`${flag}/variations/new`, "Make another variation"];
  if (code.startsWith("rollout_") || code.startsWith("flag_dependency")) return [`${flag}/rollout`, "Mend the rollout"];
  if (code === "experiment_user_not_verifiable" || code === "authentication_flow_without_pages") {
    return [`${pageAt`/experiments/${id}`}/edit`, "Edit the experiment"];
  }
  if (code === "experiment_config_too_large") return [flag, "To the feature flag"];
  if (code.startsWith("variation_") || code.startsWith("feature_flag_")) return [flag, "To the feature flag"];
  if (code.startsWith("segment_") || code === "cohort_not_found") {
    const { segment_id } = allocations.find((one) => one.segment_id !== undefined) ?? {};
    return [segment_id === undefined ? pageAt`/segments` : pageAt`/segments/${segment_id}`, "To the segment"];
  }
  return [`${pageAt`/experiments/${id}`}/edit`, "Edit the allocations"];
}
