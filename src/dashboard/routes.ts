/** Which page is where. */
import { TrieRouter } from "hono/router/trie-router";
import { changes } from "./pages/changes.tsx";
import { editCohort, newCohort } from "./pages/cohort-form.tsx";
import { cohort, cohorts, deleteCohort, pushMembers, refreshCohort } from "./pages/cohorts.tsx";
import {
  deleteDeployment,
  deployment,
  deployments,
  editDeployment,
  newDeployment,
  rotateDeployment,
} from "./pages/deployments.tsx";
import { deleteExperiment, experiment } from "./pages/experiment.tsx";
import { editExperiment, newExperiment } from "./pages/experiment-form.tsx";
import { advanceRamp, experimentStatus } from "./pages/experiment-status.tsx";
import { experiments } from "./pages/experiments.tsx";
import { explain } from "./pages/explain.tsx";
import { flag } from "./pages/flag.tsx";
import { editFlag, newFlag } from "./pages/flag-form.tsx";
import { deleteFlag, flagStatus } from "./pages/flag-status.tsx";
import { flags } from "./pages/flags.tsx";
import { forget } from "./pages/forget.tsx";
import { deleteGroup, editGroup, group, groups, newGroup } from "./pages/groups.tsx";
import { log, logEntry } from "./pages/log.tsx";
import {
  deleteLogStream,
  editLogStream,
  logStream,
  logStreamStatus,
  logStreams,
  newLogStream,
} from "./pages/log-streams.tsx";
import { overview } from "./pages/overview.tsx";
import { qa } from "./pages/qa.tsx";
import { editRollout } from "./pages/rollout.tsx";
import { deleteSegment, editSegment, newSegment, segment, segments } from "./pages/segments.tsx";
import { deleteToken, newToken, tokens } from "./pages/tokens.tsx";
import { exportFile, transfer } from "./pages/transfer.tsx";
import { deleteVariation, editVariation, newVariation } from "./pages/variations.tsx";
import type { Handler } from "./visit.ts";

type Method = "GET" | "POST";

/** To be looked at. */
export const shown: Readonly<Record<string, Handler>> = {
  "/": overview,
  "/experiments": experiments,
  "/experiments/:id": experiment,
  "/flags": flags,
  "/flags/:id": flag,
  "/segments": segments,
  "/segments/:id": segment,
  "/cohorts": cohorts,
  "/cohorts/:id": cohort,
  "/groups": groups,
  "/groups/:id": group,
  "/deployments": deployments,
  "/deployments/:id": deployment,
  "/tokens": tokens,
  "/log-streams": logStreams,
  "/log-streams/:id": logStream,
  "/log": log,
  "/log/:id": logEntry,
  "/changes": changes,
  "/qa": qa,
  "/explain": explain,
  "/transfer/export": exportFile,
};

/** To be filled in or answered, and sent back to where they are. */
export const forms: Readonly<Record<string, Handler>> = {
  "/experiments/new": newExperiment,
  "/experiments/:id/edit": editExperiment,
  "/experiments/:id/status": experimentStatus,
  "/experiments/:id/ramp": advanceRamp,
  "/experiments/:id/delete": deleteExperiment,
  "/flags/new": newFlag,
  "/flags/:id/edit": editFlag,
  "/flags/:id/rollout": editRollout,
  "/flags/:id/status": flagStatus,
  "/flags/:id/delete": deleteFlag,
  "/flags/:id/variations/new": newVariation,
  "/flags/:id/variations/:vid/edit": editVariation,
  "/flags/:id/variations/:vid/delete": deleteVariation,
  "/segments/new": newSegment,
  "/segments/:id/edit": editSegment,
  "/segments/:id/delete": deleteSegment,
  "/cohorts/new": newCohort,
  "/cohorts/:id/edit": editCohort,
  "/cohorts/:id/refresh": refreshCohort,
  "/cohorts/:id/members": pushMembers,
  "/cohorts/:id/delete": deleteCohort,
  "/groups/new": newGroup,
  "/groups/:id/edit": editGroup,
  "/groups/:id/delete": deleteGroup,
  "/deployments/new": newDeployment,
  "/deployments/:id/edit": editDeployment,
  "/deployments/:id/rotate": rotateDeployment,
  "/deployments/:id/delete": deleteDeployment,
  "/log-streams/new": newLogStream,
  "/log-streams/:id/edit": editLogStream,
  "/log-streams/:id/status": logStreamStatus,
  "/log-streams/:id/delete": deleteLogStream,
  "/tokens/new": newToken,
  "/tokens/:id/delete": deleteToken,
  "/forget": forget,
  "/transfer": transfer,
};

export interface Found {
  handler: Handler;
  params: Record<string, string>;
}

export function createRouter(): (method: Method, path: string) => Found | undefined {
  const router = new TrieRouter<Handler>();
  // Before those with parameters, which would take `new` for an id.
  for (const [path, handler] of Object.entries(forms)) {
    for (const method of ["GET", "POST"]) router.add(method, path, handler);
  }
  for (const [path, handler] of Object.entries(shown)) router.add("GET", path, handler);
  return (method, path) => {
    const [[match] = []] = router.match(method, path);
    if (match === undefined) return undefined;
    const [handler, params] = match;
    try {
      const decoded = Object.entries(params).map(([name, text]) => [name, decodeURIComponent(String(text))]);
      return { handler, params: Object.fromEntries(decoded) };
    } catch {
      return undefined;
    }
  };
}
