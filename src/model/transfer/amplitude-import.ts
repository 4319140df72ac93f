/** What importing Amplitude's flags would do. */
import { readAmplitudeFlags } from "./amplitude-flags.ts";
import type { ConfigurationProblem } from "./configuration-problem.ts";
import { type ImportOptions, type ImportPlan, planImport } from "./import-plan.ts";
import type { ImportProblem } from "./import-problem.ts";

export interface AmplitudePlan extends ImportPlan {
  /** What comes to be said otherwise, and moves nobody. */
  warnings: ConfigurationProblem[];
}

/** @param input parsed JSON: the list that `/sdk/v2/flags` gives */
export function planAmplitudeImport(input: unknown, options: ImportOptions): AmplitudePlan {
  const { file, problems, warnings, places } = readAmplitudeFlags(input);
  const plan = planImport(file, options);
  /** In the list that was sent, not in the file that was made of it. */
  const placed = ({ code, path, message }: ImportProblem): ImportProblem => {
    const [, index, under = ""] = /^feature_flags\[(\d+)\](.*)$/s.exec(path) ?? [];
    if (index === undefined) return { code, path, message };
    const flag = file.feature_flags?.[Number(index)];
    const [, target] = /^\.rollout\.targeting\[(\d+)\]/.exec(under) ?? [];
    const segment = target === undefined ? undefined : flag?.rollout?.targeting?.[Number(target)]?.name;
    const where = `flag "${flag?.key}"${segment === undefined ? "" : `, segment "${segment}"`}`;
    return {
      code,
      path: `[${places[Number(index)]}]`,
      message: `${where}${under && `, ${under.slice(1)}`}: ${message}`,
    };
  };
  return {
    steps: plan.steps,
    problems: [...problems.map((problem) => ({ code: "invalid_import", ...problem })), ...plan.problems.map(placed)],
    warnings,
  };
}
