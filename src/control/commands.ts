/** All commands by name; the names are the operation ids of the API's document. */
import { callerCommands } from "./commands/caller.ts";
import { changeCommands } from "./commands/changes.ts";
import { cohortCommands } from "./commands/cohorts.ts";
import { deploymentCommands } from "./commands/deployments.ts";
import { experimentRecordCommands } from "./commands/experiment-record.ts";
import { experimentCommands } from "./commands/experiments.ts";
import { explainCommands } from "./commands/explain.ts";
import { featureFlagCommands } from "./commands/feature-flags.ts";
import { groupCommands } from "./commands/groups.ts";
import { logStreamCommands } from "./commands/log-streams.ts";
import { logCommands } from "./commands/logs.ts";
import { publicationCommands } from "./commands/publication.ts";
import { segmentCommands } from "./commands/segments.ts";
import { subjectCommands } from "./commands/subjects.ts";
import { tokenCommands } from "./commands/tokens.ts";
import { transferCommands } from "./commands/transfer.ts";
import { variationCommands } from "./commands/variations.ts";

export const commands = {
  ...featureFlagCommands,
  ...variationCommands,
  ...experimentCommands,
  ...experimentRecordCommands,
  ...segmentCommands,
  ...groupCommands,
  ...cohortCommands,
  ...deploymentCommands,
  ...tokenCommands,
  ...changeCommands,
  ...publicationCommands,
  ...logCommands,
  ...subjectCommands,
  ...logStreamCommands,
  ...callerCommands,
  ...explainCommands,
  ...transferCommands,
};

export type CommandName = keyof typeof commands;
