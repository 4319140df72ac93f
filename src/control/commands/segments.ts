import { checkSegment } from "../../model/check/check-segment.ts";
import { type PageQuery, pageOf } from "../../model/page.ts";
import { Problem } from "../../model/problem.ts";
import type { Segment, SegmentCreate, SegmentPatch } from "../../model/segment.ts";
import { shown } from "../../model/shown.ts";
import { type CommandContext, type Input, merged } from "../command.ts";
import type { Draft } from "../tables.ts";

type Id = Input<"id", unknown>;

export const segmentCommands = {
  get_segments({ draft }: CommandContext, { query }: Input<never, PageQuery & { type?: Segment["type"] }>) {
    const rows = draft.rows("segment").filter(({ item }) => query.type === undefined || item.type === query.type);
    const { items, ...page } = pageOf(rows, query);
    return { segments: items.map(present), ...page };
  },

  create_segment({ draft, at, newId }: CommandContext, { body }: Input<never, unknown, SegmentCreate>) {
    const segment: Segment = { id: newId("seg"), ...body, type: "self", created_at: at, updated_at: at };
    return store(draft, segment);
  },

  get_segment({ draft }: CommandContext, { params }: Id) {
    return present(find(draft, params.id));
  },

  update_segment({ draft, at }: CommandContext, { params, body }: Input<"id", unknown, SegmentPatch>) {
    const segment = find(draft, params.id);
    expectOwn(segment);
    return store(draft, { ...merged(segment, body), updated_at: at });
  },

  delete_segment({ draft }: CommandContext, { params }: Id) {
    const segment = draft.get("segment", params.id);
    if (segment === undefined) return;
    expectOwn(segment);
    const users = usersOf(draft, segment.id);
    if (users.length > 0) throw new Problem("segment_in_use", `In use by ${users.join(", ")}.`);
    draft.remove("segment", segment.id);
  },
};

const present = (segment: Segment) => shown("segment", segment);

function find(draft: Draft, id: string): Segment {
  const segment = draft.get("segment", id);
  if (segment === undefined) throw new Problem("segment_not_found");
  return segment;
}

/** Those of type `auth0` are the provider's. */
function expectOwn({ type }: Segment): void {
  if (type === "auth0") throw new Problem("segment_read_only");
}

function store(draft: Draft, segment: Segment): Segment {
  const namesake = draft.all("segment").find(({ id, name }) => name === segment.name && id !== segment.id);
  if (namesake !== undefined) throw new Problem("segment_name_taken", `It is ${namesake.id}.`);
  draft.put("segment", segment);
  const [fault] = checkSegment(segment, draft.resources());
  if (fault !== undefined) {
    // Where it stands among all segments says nothing to who edits one.
    const field = fault.path.slice(fault.path.indexOf(".") + 1);
    throw new Problem("invalid_segment_rules", `${field}: ${fault.message}.`);
  }
  return present(segment);
}

function usersOf(draft: Draft, segmentId: string): string[] {
  const experiments = draft
    .all("experiment")
    .filter(({ status, allocations }) => status !== "archived" && allocations.some((a) => a.segment_id === segmentId));
  const flags = draft
    .all("feature_flag")
    .filter(
      ({ status, rollout }) => status !== "archived" && rollout?.targeting?.some((t) => t.segment_id === segmentId),
    );
  return [
    ...experiments.map(({ name }) => `experiment "${name}"`),
    ...flags.map(({ name }) => `the rollout of feature flag "${name}"`),
  ];
}
