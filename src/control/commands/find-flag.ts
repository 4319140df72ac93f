import type { FeatureFlag } from "../../model/feature-flag.ts";
import { Problem } from "../../model/problem.ts";
import type { Draft } from "../tables.ts";

/** @throws {Problem} when there is none */
export function findFlag(draft: Draft, id: string): FeatureFlag {
  const flag = draft.get("feature_flag", id);
  if (flag === undefined) throw new Problem("feature_flag_not_found");
  return flag;
}

/** Those of type `auth0` are the provider's. @throws {Problem} */
export function expectOwnFlag({ type }: FeatureFlag): void {
  if (type === "auth0") throw new Problem("feature_flag_read_only");
}

/** Of a flag and its variations alike. @throws {Problem} */
export function expectEditableFlag(flag: FeatureFlag): void {
  expectOwnFlag(flag);
  if (flag.status === "archived") throw new Problem("feature_flag_archived");
}
