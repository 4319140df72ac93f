/** A configuration file as a tenant's next snapshot. */
import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { buildSnapshot } from "../src/model/build-snapshot.ts";
import { checkResources } from "../src/model/check-resources.ts";
import { readConfiguration } from "../src/model/configuration.ts";
import { maxSnapshotBytes, type Snapshot, snapshotKey, snapshotSchema } from "../src/model/snapshot.ts";

/** What publishing asks of a KV namespace; Cloudflare's fits. */
export interface SnapshotStore {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options: { metadata: { version: number } }): Promise<void>;
}

export interface PublishOptions {
  tenant?: string;
  activeLimit?: number;
  /** Builds and checks without putting. */
  dryRun?: boolean;
  /** When it is published; the present unless given. */
  at?: Date;
}

/** Why nothing was published: every fault of the file. */
export class PublishError extends Error {
  readonly problems: readonly { path: string; message: string }[];

  constructor(file: string, problems: readonly { path: string; message: string }[]) {
    const lines = problems.map(({ path, message }) => `  ${path === "" ? "the file" : path}: ${message}`);
    super([`${file} was not published:`, ...lines].join("\n"));
    this.problems = problems;
  }
}

/**
 * Builds the snapshot of `file` and puts it into `kv` one version above the one that is there.
 * @throws PublishError naming every fault of the file; Error when the stored snapshot's version cannot be read
 */
export async function publishFile(file: string, kv: SnapshotStore, options: PublishOptions = {}): Promise<Snapshot> {
  const { tenant = "default", activeLimit = 1, dryRun = false, at = new Date() } = options;
  const publishedAt = at.toISOString();
  const read = readConfiguration(await readJson(file), { at: publishedAt });
  if ("problems" in read) throw new PublishError(file, read.problems);
  const problems = checkResources(read.resources, { activeLimit });
  if (problems.length > 0) throw new PublishError(file, problems);

  const version = (await storedVersion(kv, tenant)) + 1;
  const snapshot = v.parse(snapshotSchema, buildSnapshot(read.resources, { tenant, version, publishedAt }));
  const stored = JSON.stringify(snapshot);
  const bytes = Buffer.byteLength(stored);
  if (bytes > maxSnapshotBytes) {
    const message = `makes a snapshot of ${bytes} bytes; at most ${maxSnapshotBytes} are read in time (fewer inclusions, shorter parameters)`;
    throw new PublishError(file, [{ path: "", message }]);
  }
  if (!dryRun) await kv.put(snapshotKey(tenant), stored, { metadata: { version } });
  return snapshot;
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PublishError(file, [{ path: "", message: `must be JSON: ${String(error)}` }]);
  }
}

/** 0 when there is none. Readers never step back, so a version that cannot be read must not be guessed. */
async function storedVersion(kv: SnapshotStore, tenant: string): Promise<number> {
  const stored = await kv.get(snapshotKey(tenant));
  if (stored === null) return 0;
  try {
    return v.parse(v.object({ version: v.pipe(v.number(), v.integer()) }), JSON.parse(stored)).version;
  } catch (error) {
    throw new Error(`The stored ${snapshotKey(tenant)} has no readable version; delete the key to start anew.`, {
      cause: error,
    });
  }
}
