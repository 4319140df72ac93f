import type { ChangeQuery, ChangeView } from "../../model/change.ts";
import { defaultTake } from "../../model/page.ts";
import { shown } from "../../model/shown.ts";
import type { CommandContext, Input } from "../command.ts";
import { timeOf } from "../time.ts";

export const changeCommands = {
  /** The newest first. */
  get_changes({ desk }: CommandContext, { query }: Input<never, ChangeQuery>) {
    const { resource_type, since, until, take = defaultTake, ...rest } = query;
    const found = desk.changes({
      ...rest,
      ...(resource_type === undefined ? {} : { kind: resource_type }),
      ...(since === undefined ? {} : { since: timeOf(since, "invalid_query_string", "since") }),
      ...(until === undefined ? {} : { until: timeOf(until, "invalid_query_string", "until") }),
      take: take + 1,
    });
    const next = found[take]?.seq;
    const changes = found.slice(0, take).map(
      ({ seq, kind, resource_id, before, after, ...change }): ChangeView => ({
        id: String(seq),
        ...change,
        resource_type: kind,
        resource_id,
        before: present(kind, before),
        after: present(kind, after),
      }),
    );
    return { changes, ...(next === undefined ? {} : { next: next.toString(36) }) };
  },
};

function present(kind: string, resource: unknown): ChangeView["before"] {
  return resource === null ? null : (shown(kind, resource as object) as ChangeView["before"]);
}
