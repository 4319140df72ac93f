/** A tenant's resources as the control plane holds them, and a draft of the next state that a command works on. */
import type { Cohort, CohortSecret } from "../model/cohort.ts";
import type { Deployment } from "../model/deployment.ts";
import type { Experiment } from "../model/experiment.ts";
import type { FeatureFlag } from "../model/feature-flag.ts";
import type { Group } from "../model/group.ts";
import type { LogStream, LogStreamSecret } from "../model/log-stream.ts";
import type { Positioned } from "../model/page.ts";
import type { Resources } from "../model/resources.ts";
import type { Segment } from "../model/segment.ts";
import type { Token } from "../model/token.ts";
import type { Variation } from "../model/variation.ts";

export interface Kinds {
  feature_flag: FeatureFlag;
  variation: Variation;
  experiment: Experiment;
  segment: Segment;
  group: Group;
  deployment: Deployment;
  cohort: Cohort;
  /** No resource of its own: shown nowhere, not in the change log either. */
  secret: CohortSecret;
  log_stream: LogStream;
  /** As `secret`. */
  stream_secret: LogStreamSecret;
  token: Token;
}
/** Kinds that no answer and no change log shows. */
export type SecretKind = "secret" | "stream_secret";
export const secretKinds: ReadonlySet<Kind> = new Set<SecretKind>(["secret", "stream_secret"]);
export type Kind = keyof Kinds;
export const kinds = [
  "feature_flag",
  "variation",
  "experiment",
  "segment",
  "group",
  "deployment",
  "cohort",
  "secret",
  "log_stream",
  "stream_secret",
  "token",
] as const satisfies Kind[];

/** By id, in the order of their positions. */
export type Tables = { readonly [K in Kind]: ReadonlyMap<string, Positioned<Kinds[K]>> };

/** One list a table: what is worked out from a list (`model/resources.ts`) serves until that table changes. */
const lists = new WeakMap<ReadonlyMap<string, unknown>, readonly unknown[]>();

function listOf<Item>(table: ReadonlyMap<string, Positioned<Item>>): readonly Item[] {
  const known = lists.get(table) as readonly Item[] | undefined;
  if (known !== undefined) return known;
  const list = [...table.values()].map(({ item }) => item);
  lists.set(table, list);
  return list;
}

/** One resource before and after; undefined where there was, or is, none. */
export interface Write<K extends Kind = Kind> {
  kind: K;
  id: string;
  position: number;
  before: Kinds[K] | undefined;
  after: Kinds[K] | undefined;
}

export interface Draft {
  /** In stored order. */
  all<K extends Kind>(kind: K): Kinds[K][];
  rows<K extends Kind>(kind: K): Positioned<Kinds[K]>[];
  get<K extends Kind>(kind: K, id: string): Kinds[K] | undefined;
  /** Adds a resource, or replaces the one with its id in its place. */
  put<K extends Kind>(kind: K, item: Kinds[K]): void;
  remove(kind: Kind, id: string): void;
  /** As the model's rules read them; the same object until the next write. */
  resources(): Resources;
  /** What was written, one entry a resource; nothing of what ended as it was. */
  writes(): Write[];
  /** The state with the writes in it. */
  tables(): Tables;
}

/** @param nextPosition a position that no resource has had yet, for the first that is added */
export function createDraft(base: Tables, nextPosition: number): Draft {
  const tables: Record<string, Map<string, Positioned<unknown>>> = {};
  const touched = new Map<string, { kind: Kind; id: string; before: unknown; position: number }>();
  let position = nextPosition;
  let resources: Resources | undefined;

  const read = <K extends Kind>(kind: K) => (tables[kind] ?? base[kind]) as ReadonlyMap<string, Positioned<Kinds[K]>>;
  const write = <K extends Kind>(kind: K) => {
    resources = undefined;
    const table = tables[kind] ?? new Map(base[kind] as ReadonlyMap<string, Positioned<unknown>>);
    tables[kind] = table;
    lists.delete(table);
    return table as Map<string, Positioned<Kinds[K]>>;
  };
  function touch(kind: Kind, id: string): number {
    const known = read(kind).get(id);
    const at = known?.position ?? position++;
    const name = `${kind} ${id}`;
    if (!touched.has(name)) touched.set(name, { kind, id, before: known?.item, position: at });
    return at;
  }

  return {
    all: (kind) => [...listOf(read(kind))],
    rows: (kind) => [...read(kind).values()],
    get: (kind, id) => read(kind).get(id)?.item,
    put(kind, item) {
      const at = touch(kind, item.id);
      write(kind).set(item.id, { position: at, item });
    },
    remove(kind, id) {
      if (!read(kind).has(id)) return;
      touch(kind, id);
      write(kind).delete(id);
    },
    resources() {
      resources ??= {
        feature_flags: listOf(read("feature_flag")),
        variations: listOf(read("variation")),
        experiments: listOf(read("experiment")),
        segments: listOf(read("segment")),
        groups: listOf(read("group")),
        deployments: listOf(read("deployment")),
        cohorts: listOf(read("cohort")),
      };
      return resources;
    },
    writes: () =>
      [...touched.values()].flatMap(({ kind, id, before, position: at }) => {
        const row = read(kind).get(id);
        if (row?.item === before) return [];
        return [{ kind, id, position: row?.position ?? at, before, after: row?.item } as Write];
      }),
    tables: () => ({ ...base, ...tables }) as Tables,
  };
}
