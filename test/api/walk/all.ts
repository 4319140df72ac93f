import { access } from "./access.ts";
import { cohorts } from "./cohorts.ts";
import { evidence } from "./evidence.ts";
import { experiments } from "./experiments.ts";
import { featureFlags } from "./feature-flags.ts";
import { logs } from "./logs.ts";
import { segments } from "./segments.ts";
import { subjects } from "./subjects.ts";
import { transfer } from "./transfer.ts";
import { variations } from "./variations.ts";
import type { Walk } from "./walk.ts";

export const walk: Walk = {
  ...featureFlags,
  ...variations,
  ...experiments,
  ...evidence,
  ...logs,
  ...segments,
  ...subjects,
  ...cohorts,
  ...access,
  ...transfer,
};
