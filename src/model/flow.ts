/** Authentication flows: the parts of a login that an experiment can run on. */
import * as v from "valibot";

/** The first five are Auth0's today; the last two are of an earlier version of its API. */
export const flowNames = [
  "authentication",
  "mfa_enrollment",
  "mfa_challenge",
  "password_reset",
  "passkey_enrollment",
  "organization_selection",
  "email_verification",
] as const;
/** The flow that a page belongs to. */
export const flowName = v.picklist(flowNames, `must be one of ${flowNames.join(", ")}`);
export type FlowName = v.InferOutput<typeof flowName>;

const authenticationFlows = [...flowNames, "all"] as const;
/** The flow that an experiment runs on; `all` means every page. */
export const authenticationFlow = v.picklist(authenticationFlows, `must be one of ${authenticationFlows.join(", ")}`);
export type AuthenticationFlow = v.InferOutput<typeof authenticationFlow>;
