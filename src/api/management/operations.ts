/** Every operation of the management API by its command's name. */

import type { CommandName } from "../../control/commands.ts";
import type { Operation } from "./operation.ts";
import { callerOperations } from "./operations/caller.ts";
import { changeOperations } from "./operations/changes.ts";
import { cohortOperations } from "./operations/cohorts.ts";
import { deploymentOperations } from "./operations/deployments.ts";
import { experimentEvidenceOperations } from "./operations/experiment-evidence.ts";
import { experimentOperations } from "./operations/experiments.ts";
import { explainOperations } from "./operations/explain.ts";
import { featureFlagOperations } from "./operations/feature-flags.ts";
import { groupOperations } from "./operations/groups.ts";
import { logStreamOperations } from "./operations/log-streams.ts";
import { logOperations } from "./operations/logs.ts";
import { publicationOperations } from "./operations/publication.ts";
import { segmentOperations } from "./operations/segments.ts";
import { subjectOperations } from "./operations/subjects.ts";
import { tokenOperations } from "./operations/tokens.ts";
import { transferOperations } from "./operations/transfer.ts";
import { variationOperations } from "./operations/variations.ts";

export const operations: Readonly<Record<CommandName, Operation>> = {
  ...featureFlagOperations,
  ...variationOperations,
  ...experimentOperations,
  ...experimentEvidenceOperations,
  ...segmentOperations,
  ...groupOperations,
  ...cohortOperations,
  ...deploymentOperations,
  ...tokenOperations,
  ...changeOperations,
  ...publicationOperations,
  ...logOperations,
  ...subjectOperations,
  ...logStreamOperations,
  ...callerOperations,
  ...explainOperations,
  ...transferOperations,
};
