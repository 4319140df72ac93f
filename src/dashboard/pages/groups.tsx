/** Groups: flags whose subjects exclude one another, or share a part that gets none of them. */
import type { FeatureFlag } from "../../model/feature-flag.ts";
import type { Group } from "../../model/group.ts";
import { pageAt } from "../address.ts";
import { deletePage } from "../forms/confirm-page.tsx";
import { descriptionField, type Field, named, nameField, type Option } from "../forms/field.ts";
import { formPage } from "../forms/form-page.tsx";
import { valuesOf } from "../forms/values.ts";
import { type Names, nameIn } from "../parts/allocation.tsx";
import { Facts } from "../parts/facts.tsx";
import { Done, Head, listsUnder } from "../parts/head.tsx";
import { listQuery, More, Table } from "../parts/list.tsx";
import { Moment } from "../parts/reader.tsx";
import type { Handler, Visit } from "../visit.ts";

const [list] = listsUnder.groups;
const under = [listsUnder.groups];

const kinds = { mutual_exclusion: "Mutual exclusion", holdout: "Holdout" } as const;

async function flagOptions({ api }: Visit): Promise<Option[]> {
  const { items } = await api.all<FeatureFlag>("/feature-flags", "feature_flags");
  return named(items.filter(({ status }) => status !== "archived"));
}

const bucketing: readonly Field[] = [
  {
    kind: "choice",
    name: "bucketing_key",
    label: "By",
    options: [
      { value: "device_id", label: "Device" },
      { value: "user_id", label: "User" },
    ],
    empty: "device, unless said",
    optional: true,
  },
  { kind: "text", name: "bucketing_salt", label: "Salt", hint: "The group’s id unless set.", optional: true },
];

function fieldsOf(type: Group["type"], flags: readonly Option[]): Field[] {
  const flagIds: Field = { kind: "checks", name: "feature_flag_ids", label: "Feature flags", options: flags };
  const own: Field[] =
    type === "holdout"
      ? [{ kind: "number", name: "percentage", label: "Held out, in percent" }, flagIds]
      : [
          {
            kind: "rows",
            name: "slots",
            label: "Slots",
            hint: "Nobody is in two. Their percentages total 100 at most; the rest of the visitors is in none.",
            one: "slot",
            least: 2,
            columns: [{ kind: "number", name: "percentage", label: "Percent" }, flagIds],
          },
        ];
  return [nameField, descriptionField, ...own, ...bucketing];
}

export const groups: Handler = async (visit) => {
  const page = await visit.api.get<{ groups: Group[]; next?: string }>(`/groups${listQuery(visit)}`);
  const body = (
    <>
      <Head title="Groups">
        <p class="lead quiet">Feature flags that must not meet in one visitor, or that some visitors get none of.</p>
        {visit.may("create") && (
          <p class="actions">
            <a class="button primary" href={`${pageAt`/groups/new`}?type=mutual_exclusion`}>
              New mutual exclusion
            </a>
            <a class="button" href={`${pageAt`/groups/new`}?type=holdout`}>
              New holdout
            </a>
          </p>
        )}
      </Head>
      <Done url={visit.url} />
      {page.groups.length === 0 ? (
        <p>
          None yet. One experiment at a time needs none; make a mutual exclusion before two run side by side, and a
          holdout to measure what all of them do together.
        </p>
      ) : (
        <Table
          label="Groups"
          items={page.groups}
          columns={[
            { head: "Name", cell: ({ id, name }) => <a href={pageAt`/groups/${id}`}>{name}</a> },
            { head: "Type", cell: ({ type }) => kinds[type] },
            { head: "Flags", cell: (group) => flagsOf(group).length, isNumber: true },
            { head: "Last changed", cell: ({ updated_at }) => <Moment at={updated_at} /> },
          ]}
        />
      )}
      <More visit={visit} next={page.next} />
    </>
  );
  return { title: "Groups", body };
};

function flagsOf(group: Group): string[] {
  return group.type === "holdout"
    ? group.feature_flag_ids
    : group.slots.flatMap(({ feature_flag_ids }) => feature_flag_ids);
}

export const newGroup: Handler = async (visit) => {
  const type = visit.url.searchParams.get("type") === "holdout" ? "holdout" : "mutual_exclusion";
  const key: Field = { kind: "text", name: "key", label: "Key", hint: "The name gives it unless set.", optional: true };
  return formPage<Group>(visit, {
    title: type === "holdout" ? "New holdout" : "New mutual exclusion",
    under,
    fields: [...fieldsOf(type, await flagOptions(visit)), key],
    values: new URLSearchParams(),
    action: "Make the group",
    cancel: list,
    send: (body) => visit.api.send("POST", "/groups", { ...body, type }),
    done: ({ id }) => ({ to: `${pageAt`/groups/${id}`}?done=made` }),
  });
};

const read = (visit: Visit) => visit.api.get<Group>(`/groups/${encodeURIComponent(visit.params.id ?? "")}`);

export const group: Handler = async (visit) => {
  const found = await read(visit);
  const { id, name, description, type, key, bucketing_key = "device_id", bucketing_salt, updated_at } = found;
  const flags = await Promise.all(flagsOf(found).map((one) => visit.api.find<FeatureFlag>(`/feature-flags/${one}`)));
  const names: Names = new Map(flags.flatMap((flag) => (flag === null ? [] : [[flag.id, flag.name]])));
  const body = (
    <>
      <Head title={name} under={under}>
        {description && <p class="lead">{description}</p>}
        <p class="actions">
          {visit.may("update") && <a href={pageAt`/groups/${id}/edit`}>Edit</a>}
          {visit.may("delete") && <a href={pageAt`/groups/${id}/delete`}>Delete</a>}
        </p>
      </Head>
      <Done url={visit.url} />
      <Facts
        of={[
          ["Type", kinds[type]],
          ...(found.type === "holdout"
            ? ([
                [`${found.percentage}% get none of`, <FlagLinks ids={found.feature_flag_ids} names={names} />],
              ] as const)
            : found.slots.map(
                ({ percentage, feature_flag_ids }, place) =>
                  [`Slot ${place + 1}, ${percentage}%`, <FlagLinks ids={feature_flag_ids} names={names} />] as const,
              )),
          ["By", bucketing_key === "user_id" ? "user" : "device"],
          ["Salt", bucketing_salt === undefined ? undefined : <code>{bucketing_salt}</code>],
          ["Key", <code>{key}</code>],
          ["Last changed", <Moment at={updated_at} />],
        ]}
      />
    </>
  );
  return { title: name, body };
};

function FlagLinks({ ids, names }: { ids: readonly string[]; names: Names }) {
  if (ids.length === 0) return <span class="quiet">no flag yet</span>;
  return (
    <ul class="lines">
      {ids.map((id) => (
        <li>
          <a href={pageAt`/flags/${id}`}>{nameIn(names, id)}</a>
        </li>
      ))}
    </ul>
  );
}

export const editGroup: Handler = async (visit) => {
  const [found, flags] = await Promise.all([read(visit), flagOptions(visit)]);
  const { id, name, description, bucketing_key, bucketing_salt, updated_at } = found;
  const page = pageAt`/groups/${id}`;
  const own =
    found.type === "holdout"
      ? { percentage: found.percentage, feature_flag_ids: found.feature_flag_ids }
      : { slots: found.slots };
  return formPage<Group>(visit, {
    title: `Edit “${name}”`,
    under: [...under, [page, name]],
    lead: <p class="quiet">A change of who is in which part moves visitors who are in an experiment already.</p>,
    fields: fieldsOf(found.type, flags),
    values: valuesOf({ name, description, bucketing_key, bucketing_salt, ...own }),
    action: "Save",
    seen: updated_at,
    cancel: page,
    send: (body) => visit.api.send("PATCH", `/groups/${id}`, body),
    done: () => ({ to: `${page}?done=saved` }),
  });
};

export const deleteGroup: Handler = async (visit) => {
  const { id, name } = await read(visit);
  return deletePage(visit, {
    what: "the group",
    name,
    under,
    path: `/groups/${id}`,
    page: pageAt`/groups/${id}`,
    list,
    consequence: "Its flags are evaluated on their own again: visitors that it kept apart may meet.",
  });
};
