/** Which authentication flows have pages at the gate: an experiment on any other flow is never assigned there. */
import { type FlowName, flowNames } from "../../model/flow.ts";
import type { Tenant } from "../../model/tenant.ts";
import { presets } from "./presets.ts";

type PageSettings = Pick<Tenant, "provider" | "pages" | "paths" | "signup_paths" | "authorize_paths">;

/** In the order of `flowNames`. As `compileRules` applies the preset's and the tenant's rules. */
export function coveredFlows({ provider, pages, paths, signup_paths, authorize_paths }: PageSettings): FlowName[] {
  const preset = presets[provider];
  const covered = new Set([...pages, ...preset.pages].map(({ flow }) => flow));
  const listed = [...paths, ...signup_paths, ...authorize_paths, ...preset.starts];
  if (listed.length > 0 || preset.startsByQuery) covered.add("authentication");
  // A tenant that lists its pages has no others.
  if (preset.otherPages !== null && paths.length === 0) covered.add(preset.otherPages);
  return flowNames.filter((flow) => covered.has(flow));
}
