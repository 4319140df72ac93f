/** The engine's input: Amplitude's flag JSON, as `@amplitude/experiment-core` defines it. */

export interface Variant {
  key: string;
  value?: string;
  payload?: unknown;
  metadata?: Record<string, unknown>;
}

/** One test on one property. Values are always strings; a number or boolean is compared by its string form. */
export interface Condition {
  /** Path from the root of `{ context, result }`, e.g. `["context", "user", "country"]`. */
  selector: readonly string[];
  op: string;
  values: readonly string[];
}

/** Half open: `[start, end)`. */
export type Range = readonly [start: number, end: number];

export interface Allocation {
  /** Of `hash % 100`. */
  range: Range;
  /** Ranges of `floor(hash / 100)`; the first that holds the value wins. */
  distributions: readonly { variant: string; range: Range }[];
}

export interface Bucket {
  /** Path to the value that is hashed, e.g. `["context", "user", "device_id"]`. */
  selector: readonly string[];
  salt: string;
  allocations: readonly Allocation[];
}

export interface Segment {
  bucket?: Bucket;
  /** Outer list: any of; inner list: all of. Absent matches everyone. */
  conditions?: readonly (readonly Condition[])[];
  /** The variant when there is no bucket, or the bucket gives none. */
  variant?: string;
  metadata?: Record<string, unknown>;
}

export interface Flag {
  key: string;
  variants: Readonly<Record<string, Variant>>;
  segments: readonly Segment[];
  dependencies?: readonly string[];
  metadata?: Record<string, unknown>;
}

/** Who is asked about. Any property may be missing. */
export interface EvaluationContext {
  user?: Record<string, unknown>;
  groups?: Record<string, unknown>;
}
