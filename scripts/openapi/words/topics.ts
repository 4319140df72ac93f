import type { Topic } from "../operation-words.ts";
import { caller } from "./caller.ts";
import { changes } from "./changes.ts";
import { cohorts } from "./cohorts.ts";
import { deployments } from "./deployments.ts";
import { evidence } from "./evidence.ts";
import { experiments } from "./experiments.ts";
import { explain } from "./explain.ts";
import { featureFlags } from "./feature-flags.ts";
import { groups } from "./groups.ts";
import { logStreams } from "./log-streams.ts";
import { logs } from "./logs.ts";
import { publication } from "./publication.ts";
import { segments } from "./segments.ts";
import { subjects } from "./subjects.ts";
import { tokens } from "./tokens.ts";
import { transfer } from "./transfer.ts";
import { variations } from "./variations.ts";

/** In the order they are shown. */
export const topics: readonly Topic[] = [
  featureFlags,
  variations,
  experiments,
  evidence,
  segments,
  cohorts,
  groups,
  deployments,
  tokens,
  changes,
  logs,
  logStreams,
  subjects,
  publication,
  caller,
  explain,
  transfer,
];
