import type { Check } from "../check.ts";
import type { Scene } from "../scene.ts";
import { stickyBucketingToggled, trafficSplitChanged, variationAdded, variationRemoved } from "./changes.ts";
import { analysisWindow, customExposure, fallbackCounted, individualInclusions } from "./counted.ts";
import { firstExperiment } from "./earlier.ts";
import { platformSource } from "./platform.ts";
import { assignmentExposureFunnel, loginLogoutChurn, missingExposure, variantJumping } from "./units.ts";

/**
 * The fourteen of Amplitude's guide, in the order in which they explain: what the configuration says for certain, what was
 * counted wrongly, what units do, and at last where it is.
 */
export const srmChecks: readonly Check<Scene>[] = [
  customExposure,
  trafficSplitChanged,
  variationAdded,
  variationRemoved,
  stickyBucketingToggled,
  analysisWindow,
  individualInclusions,
  fallbackCounted,
  variantJumping,
  loginLogoutChurn,
  missingExposure,
  assignmentExposureFunnel,
  platformSource,
  firstExperiment,
];
