/** What is published to the edge: engine flags, and of every experiment what stamping and forcing it needs. */
import * as v from "valibot";
import { cohortIdType } from "./cohort.ts";
import { deploymentType } from "./deployment.ts";
import { authenticationFlow } from "./flow.ts";

const id = v.pipe(v.string(), v.minLength(1));
const range = v.tuple([v.number(), v.number()]);
const metadata = v.record(v.string(), v.unknown());

const condition = v.object({ selector: v.array(v.string()), op: v.string(), values: v.array(v.string()) });

const segment = v.object({
  bucket: v.exactOptional(
    v.object({
      selector: v.array(v.string()),
      salt: v.string(),
      allocations: v.array(v.object({ range, distributions: v.array(v.object({ variant: v.string(), range })) })),
    }),
  ),
  conditions: v.exactOptional(v.array(v.array(condition))),
  variant: v.exactOptional(v.string()),
  metadata: v.exactOptional(metadata),
});

const variant = v.object({
  key: v.string(),
  value: v.exactOptional(v.string()),
  payload: v.exactOptional(v.unknown()),
  metadata: v.exactOptional(metadata),
});

const flag = v.object({
  key: id,
  variants: v.record(v.string(), variant),
  segments: v.array(segment),
  dependencies: v.exactOptional(v.array(v.string())),
  metadata: v.exactOptional(metadata),
});

export const experimentStatus = v.picklist(
  ["draft", "active", "paused", "completed", "archived"],
  "must be one of draft, active, paused, completed, archived",
);
export type ExperimentStatus = v.InferOutput<typeof experimentStatus>;

const experiment = v.object({
  id,
  name: v.string(),
  status: experimentStatus,
  /** Key of the flag in `flags` whose variants are this experiment's variations. */
  flag_key: id,
  /** When it was completed; absent while it is not, and from snapshots published before this was said. */
  ended_at: v.exactOptional(v.pipe(v.string(), v.isoTimestamp())),
  /** Counts up whenever the split changes; 1 at first activation. */
  epoch: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** The flow on whose pages it assigns and is exposed; `authentication` in snapshots published before flows had an effect. */
  authentication_flow: v.exactOptional(authenticationFlow, "authentication"),
  /** Which id is hashed: the device cookie before log-in, or user_id after. */
  subject: v.picklist(["device", "user"]),
  /** Earlier choices win over today's rules (design: sticky bucketing). */
  sticky: v.boolean(),
  /** Id of the control variation; absent while a draft has none. */
  control: v.exactOptional(id),
  /** All variations of the flag, whether allocated or not: QA may force each. */
  variations: v.array(
    v.object({
      id,
      /** The engine's variant key. */
      key: id,
      /** The flag's parameters with this variation's overrides merged in. */
      config: v.record(v.string(), v.unknown()),
    }),
  ),
  /** Which variation a segment is allocated (segment strategy), for overrides by `segment_id`. */
  segments: v.array(v.object({ id, variation_id: id })),
});
export type SnapshotExperiment = v.InferOutput<typeof experiment>;

const deployment = v.object({
  id,
  type: deploymentType,
  /** SHA-256 of the deployment's key, base64url. */
  key_hash: id,
  /** The flags that may be fetched with the key, as far as `flags` has them, or an experiment on them is forced. */
  flag_keys: v.array(id),
});

/** Where the index of cohorts' members is, and which cohorts it answers for. */
export const cohortIndexSchema = v.pipe(
  v.object({
    /** There are 2 to the power of it shards, by the leading bits of a member's hash. */
    bits: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(16)),
    /** By shard, the generation that wrote it: part of its key, under which nothing else is ever written. */
    generations: v.array(v.pipe(v.number(), v.integer(), v.minValue(0))),
    ready: v.record(id, v.object({ id_type: cohortIdType, size: v.number(), refreshed_at: v.string() })),
  }),
  v.check(({ bits, generations }) => generations.length === 2 ** bits, "must name a generation of every shard"),
);
export type CohortIndex = v.InferOutput<typeof cohortIndexSchema>;

export const snapshotSchema = v.object({
  schema: v.literal(1),
  tenant: id,
  /** Counts up by one a commit; readers never step back. */
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
  published_at: v.pipe(v.string(), v.isoTimestamp()),
  flags: v.array(flag),
  experiments: v.array(experiment),
  /** Absent from what was published before there were any. */
  deployments: v.exactOptional(v.array(deployment), []),
  /**
   * The flags that are enabled at the gate. Absent from snapshots published before flags could be enabled there: then the
   * gate assigns the active experiments and serves no rollout.
   */
  gate: v.exactOptional(v.object({ flag_keys: v.array(id) })),
  /** By key of a flag that is enabled in a deployment and serves nobody, names of its parameters; absent where all serve. */
  unserved: v.exactOptional(v.record(v.string(), v.array(v.string()))),
  /** Absent until a cohort has members. */
  cohorts: v.exactOptional(cohortIndexSchema),
});
/** Stored in KV as JSON under `snapshot:<tenant>`. */
export type Snapshot = v.InferOutput<typeof snapshotSchema>;

/** A larger snapshot would take longer to compile than a decision may take, and nothing else runs meanwhile. */
export const maxSnapshotBytes = 2 * 1024 * 1024;

/** KV key of a tenant's snapshot. */
export const snapshotKey = (tenant: string): string => `snapshot:${tenant}`;

/** KV key of one shard of the index of cohorts' members. */
export const cohortShardKey = (tenant: string, generation: number, shard: number): string =>
  `cohorts:${tenant}:${generation}:${shard}`;
