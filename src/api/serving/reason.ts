/** What decided a variant, in terms of the flag's rules. */

import type { User } from "../../assignment/evaluation.ts";
import type { ServedFlag } from "../../assignment/serve.ts";
import type { Flag } from "../../engine/flag.ts";
import { lacksProperty } from "../../model/asked-properties.ts";

/**
 * `segment`: a rule matched, and nothing is left to chance; `split`: the hash, within a rule or among all; `everyone`: there
 * is no rule that could have decided otherwise; `rest`: none matched. Each may also be why somebody takes no part, and
 * `no_subject` always is: the id that is hashed was not given.
 */
export type Reason =
  | "forced"
  | "inclusion"
  | "sticky"
  | "dependency"
  | "segment"
  | "split"
  | "no_subject"
  | "everyone"
  | "rest";

const leading = new Map<unknown, Reason>([
  ["flag-dependencies", "dependency"],
  ["individual-inclusions", "inclusion"],
  ["sticky-bucketing", "sticky"],
]);

/** @param flag as it was evaluated for `user`; undefined where it is forced and not served by itself */
export function reasonOf(flag: Flag | undefined, { variant, assignment }: ServedFlag, user: User): Reason {
  if (assignment?.method === "forced" || flag === undefined) return "forced";
  const { segmentName, segmentId } = variant.metadata ?? {};
  // A tenant names its own segments as it likes: one with an id is never ours.
  const ours = segmentId === undefined ? leading.get(segmentName) : undefined;
  if (ours !== undefined) return ours;
  const at = flag.segments.findIndex(
    ({ metadata }) => metadata?.segmentName === segmentName && metadata?.segmentId === segmentId,
  );
  const segment = flag.segments[at];
  if (segment?.bucket) {
    const [, of, ...path] = segment.bucket.selector;
    return of === "user" && lacksProperty(user, path) ? "no_subject" : "split";
  }
  if (segment?.conditions) return "segment";
  return flag.segments.slice(0, at).some(({ conditions }) => conditions !== undefined) ? "rest" : "everyone";
}
