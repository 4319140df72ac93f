/** What one refresh of one cohort may take. Injected wherever it counts, so that tests need no patience. */
export interface SourceLimits {
  /** After decompression. */
  bytes: number;
  members: number;
  /** All of it, from the request to the last byte. */
  totalMs: number;
  /** Without a byte. */
  stallMs: number;
}

export const sourceLimits: SourceLimits = {
  bytes: 1024 ** 3,
  members: 10_000_000,
  totalMs: 15 * 60_000,
  stallMs: 30_000,
};
