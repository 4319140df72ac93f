import { checkGroup } from "../../model/check/check-group.ts";
import { populations } from "../../model/compile/group-flag.ts";
import { newEpoch } from "../../model/epoch.ts";
import { keySchema } from "../../model/fields.ts";
import type { Group, GroupCreate, GroupPatch } from "../../model/group.ts";
import { type PageQuery, pageOf } from "../../model/page.ts";
import { Problem } from "../../model/problem.ts";
import { shown } from "../../model/shown.ts";
import { type CommandContext, type Input, merged } from "../command.ts";
import type { Draft } from "../tables.ts";
import { chooseKey } from "./choose-key.ts";

type Id = Input<"id", unknown>;

export const groupCommands = {
  get_groups({ draft }: CommandContext, { query }: Input<never, PageQuery & { type?: Group["type"] }>) {
    const rows = draft.rows("group").filter(({ item }) => query.type === undefined || item.type === query.type);
    const { items, ...page } = pageOf(rows, query);
    return { groups: items.map(present), ...page };
  },

  create_group(context: CommandContext, { body }: Input<never, unknown, GroupCreate>) {
    const { draft, at, newId } = context;
    const ofType = draft.all("group").filter(({ type }) => type === body.type);
    const key = chooseKey({
      given: body.key,
      name: body.name,
      kind: "group",
      schema: keySchema,
      taken: new Set(ofType.map(({ key }) => key)),
      whenTaken: "group_key_taken",
    });
    const group: Group = { id: newId("grp"), ...body, key, created_at: at, updated_at: at };
    return store(context, group);
  },

  get_group({ draft }: CommandContext, { params }: Id) {
    return present(find(draft, params.id));
  },

  update_group(context: CommandContext, { params, body }: Input<"id", unknown, GroupPatch>) {
    const group = find(context.draft, params.id);
    const foreign = Object.keys(body).filter((field) => foreignFields[group.type].includes(field));
    if (foreign.length > 0) {
      const right = foreignFields[group.type === "holdout" ? "mutual_exclusion" : "holdout"].join(" and ");
      throw new Problem("invalid_body", `${foreign.join(", ")}: a group of type ${group.type} has ${right} instead.`);
    }
    return store(context, { ...merged(group, body), updated_at: context.at }, group);
  },

  delete_group(context: CommandContext, { params }: Id) {
    const group = context.draft.get("group", params.id);
    if (group === undefined) return;
    context.draft.remove("group", group.id);
    startEpochs(context, group, undefined);
  },
};

/** What groups of the other type have. */
const foreignFields: Readonly<Record<Group["type"], readonly string[]>> = {
  mutual_exclusion: ["percentage", "feature_flag_ids"],
  holdout: ["slots"],
};

const present = (group: Group) => shown("group", group);

function find(draft: Draft, id: string): Group {
  const group = draft.get("group", id);
  if (group === undefined) throw new Problem("group_not_found");
  return group;
}

function store(context: CommandContext, group: Group, before?: Group): Group {
  const { draft } = context;
  const namesake = draft.all("group").find(({ id, name }) => name === group.name && id !== group.id);
  if (namesake !== undefined) throw new Problem("group_name_taken", `It is ${namesake.id}.`);
  draft.put("group", group);
  const faults = checkGroup(group, draft.resources());
  if (faults.length > 0) {
    // Where it stands among all groups says nothing to who edits one.
    const details = faults.map(({ path, message }) => `${path.replace(/^groups\[\d+\]\./, "")}: ${message}`);
    throw new Problem("invalid_group", `${details.join("; ")}.`);
  }
  startEpochs(context, before, group);
  return present(group);
}

/**
 * Experiments under way on flags that the edit gives another population begin a new epoch: before and after, different
 * subjects are counted, even if each keeps its variation.
 */
function startEpochs({ draft, at }: CommandContext, before: Group | undefined, after: Group | undefined): void {
  const had = before && populations(before);
  const has = after && populations(after);
  for (const experiment of draft.all("experiment")) {
    const { status, feature_flag_id: flagId } = experiment;
    const isRunning = status === "active" || status === "paused";
    if (!isRunning || had?.get(flagId) === has?.get(flagId)) continue;
    draft.put("experiment", { ...newEpoch(experiment), updated_at: at });
  }
}
