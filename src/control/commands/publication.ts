import type { Snapshot } from "../../model/snapshot.ts";
import type { CommandContext, Input } from "../command.ts";
import { isPending } from "../publisher.ts";
import type { Facts } from "../store.ts";

export interface Publication {
  /** Of the configuration; 0 before the first commit. */
  version: number;
  committed_at: string | null;
  /** What KV is known to hold. */
  published: Facts["published"] | null;
  /** What KV is not known to hold, since when it lacks something, and how trying goes. */
  pending: {
    version: number;
    since: string;
    attempts: number;
    last_error: string | null;
    next_attempt_at: string | null;
  } | null;
  /** That of `version`, where it was asked for: it may be large. */
  snapshot: Snapshot | null;
}

export const publicationCommands = {
  get_snapshot(
    { desk }: CommandContext,
    { query: { include_snapshot = true } }: Input<never, { include_snapshot?: boolean }>,
  ): Publication {
    const facts = desk.facts();
    const { version = 0, committedAt = "", published = null } = facts;
    return {
      version,
      committed_at: version === 0 ? null : committedAt,
      published,
      pending: isPending(facts) ? pendingOf(facts) : null,
      snapshot: version === 0 || !include_snapshot ? null : desk.snapshot(),
    };
  },
};

function pendingOf({
  version = 0,
  committedAt = "",
  pendingSince,
  publishing,
}: Partial<Facts>): Publication["pending"] {
  return {
    version,
    since: pendingSince ?? committedAt,
    attempts: publishing?.attempts ?? 0,
    last_error: publishing?.lastError ?? null,
    next_attempt_at: publishing ? new Date(publishing.nextAt).toISOString() : null,
  };
}
