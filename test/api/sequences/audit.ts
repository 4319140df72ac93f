/** What must hold of everything that the API shows, whatever was done before. */
import { isDeepStrictEqual } from "node:util";
import type { Client } from "../client.ts";
import { editableIn, isValid, type World } from "./world.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field.
type Json = any;

function expectSame(what: string, seen: unknown, expected: unknown): void {
  if (isDeepStrictEqual(seen, expected)) return;
  throw new Error(`${what}: ${JSON.stringify(seen)}, not ${JSON.stringify(expected)}`);
}

/** @returns the version of the configuration */
export async function audit(client: Client, world: World): Promise<number> {
  const shown = new Map<string, Json>();
  const list = async (path: string, name: string): Promise<Json[]> => {
    const items = (await client.get(path))[name];
    for (const item of items) shown.set(item.id, item);
    return items;
  };
  const summary = (items: Json[], ...fields: string[]) =>
    items.map((item) => Object.fromEntries(["id", "name", ...fields].map((field) => [field, item[field]])));

  const flags = await list("/feature-flags?take=50", "feature_flags");
  expectSame("flags", summary(flags, "status"), summary(world.flags, "status"));
  for (const flag of world.flags) {
    const variations = await list(`/feature-flags/${flag.id}/variations`, "variations");
    expectSame(`variations of ${flag.name}`, summary(variations), summary(flag.variations));
    expectSame(
      `overrides of ${flag.name}`,
      variations.map(({ overrides }) => overrides.title?.value),
      flag.variations.map(({ title }) => title),
    );
    expectUnique(`variations of ${flag.name}`, variations);
  }
  const segments = await list("/segments?take=50", "segments");
  expectSame("segments", summary(segments), summary(world.segments));
  const groups = await list("/groups?take=50", "groups");
  expectSame("groups", summary(groups, "type"), summary(world.groups, "type"));
  const experiments = await list("/experiments?take=50", "experiments");
  expectSame("experiments", summary(experiments, "status"), summary(world.experiments, "status"));
  for (const [name, items] of Object.entries({ flags, segments, groups, experiments })) expectUnique(name, items);
  expectSame("one is active at most", experiments.filter(({ status }) => status === "active").length <= 1, true);
  for (const experiment of world.experiments) {
    const { is_valid, editable_fields, allocations, current_level, levels } = shown.get(experiment.id);
    const { is_valid: isFound, errors } = await client.post(`/experiments/${experiment.id}/validate`);
    const expected = isValid(world, experiment);
    expectSame(
      `validity of ${experiment.name}`,
      [is_valid, isFound, errors.length === 0],
      [expected, expected, expected],
    );
    expectSame(`fields of ${experiment.name}`, editable_fields, editableIn(experiment.status));
    expectSame(`levels of ${experiment.name}`, levels ?? [], experiment.levels);
    expectSame(`level of ${experiment.name}`, current_level, experiment.level ?? experiment.levels[0]);
    expectSame(`allocations of ${experiment.name}`, allocations.map(withoutSnapshots), experiment.allocations);
  }
  for (const path of world.gone) expectSame(path, (await client.send("GET", path)).status, 404);

  await expectChain(client, shown);
  const { version, snapshot } = await client.get("/snapshot");
  expectSame("version of the snapshot", snapshot?.version ?? 0, version);
  return version;
}

function expectUnique(what: string, items: { name: string }[]): void {
  expectSame(`names of ${what}`, new Set(items.map(({ name }) => name)).size, items.length);
}

function withoutSnapshots({ variation_snapshot: _, segment_snapshot: __, ...allocation }: Json): Json {
  return allocation;
}

/** Each change begins where the one before it ended, the first with nothing, and the last ends with what is there. */
async function expectChain(client: Client, shown: ReadonlyMap<string, Json>): Promise<void> {
  const changes: Json[] = [];
  let next: string | undefined;
  do {
    const page = await client.get(`/changes?take=50${next === undefined ? "" : `&from=${next}`}`);
    changes.push(...page.changes);
    next = page.next;
  } while (next !== undefined);

  const last = new Map<string, unknown>();
  let version = 0;
  for (const { resource_id, before, after, version: at, operation } of changes.reverse()) {
    expectSame(`${operation} of ${resource_id} begins`, before, last.get(resource_id) ?? null);
    last.set(resource_id, after);
    expectSame(`${operation} of ${resource_id} comes at its version`, at === version || at === version + 1, true);
    version = at;
  }
  for (const [id, after] of last) expectSame(`what became of ${id}`, stored(after), stored(shown.get(id)) ?? null);
  for (const id of shown.keys()) expectSame(`${id} is in the change log`, last.has(id), true);
}

/** Without what is worked out anew each time, or may be. */
function stored(item: Json): Json {
  if (item?.epoch === undefined) return item;
  const { is_valid: _, editable_fields: __, current_level: ___, ...rest } = item;
  return rest;
}
