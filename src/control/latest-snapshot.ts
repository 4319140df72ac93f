/** The newest snapshot, as it is and as it is stored. */
import { buildSnapshot } from "../model/compile/build-snapshot.ts";
import { Problem } from "../model/problem.ts";
import { maxSnapshotBytes, type Snapshot } from "../model/snapshot.ts";
import type { Built } from "./publisher.ts";

export interface LatestSnapshot extends Built {
  snapshot: Snapshot;
}

const encoder = new TextEncoder();

/** @throws {Problem} when it is too large to be read in time */
export function serializeLatest(...parts: Parameters<typeof buildSnapshot>): LatestSnapshot {
  const latest = buildLatest(...parts);
  if (latest.bytes <= maxSnapshotBytes) return latest;
  const detail = `It would take ${latest.bytes} bytes of ${maxSnapshotBytes}; shorten inclusions.`;
  throw new Problem("snapshot_too_large", detail);
}

export function buildLatest(...[resources, options]: Parameters<typeof buildSnapshot>): LatestSnapshot {
  const snapshot = buildSnapshot(resources, options);
  const text = JSON.stringify(snapshot);
  return { snapshot, version: options.version, text, bytes: encoder.encode(text).length };
}
