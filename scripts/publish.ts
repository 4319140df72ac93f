/**
 * Publishes a configuration file as a tenant's next snapshot: into the local store that `npm start` reads, or with
 * `--remote` into the Worker's KV namespace through wrangler.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import * as v from "valibot";
import { buildSnapshot } from "../src/model/build-snapshot.ts";
import { checkResources } from "../src/model/check-resources.ts";
import { readConfiguration } from "../src/model/configuration.ts";
import { type Snapshot, snapshotKey, snapshotSchema } from "../src/model/snapshot.ts";

const usage = `Usage: npm run publish -- <file.json> [options]

  --tenant <name>      whose snapshot it becomes (default)
  --active-limit <n>   how many experiments may be active at a time (1)
  --dry-run            check the file and show the snapshot, publish nothing
  --state-dir <dir>    where npm start keeps its state (.state)
  --remote             publish to Cloudflare instead, with wrangler's log-in`;

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
  if (!dryRun) await kv.put(snapshotKey(tenant), JSON.stringify(snapshot), { metadata: { version } });
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

const run = promisify(execFile);
/** Where wrangler.toml is. */
const root = fileURLToPath(new URL("..", import.meta.url));

/** The Worker's namespace, as wrangler.toml binds it. */
const remoteStore: SnapshotStore = {
  async get(key) {
    try {
      return (await wrangler("get", key)).stdout;
    } catch (error) {
      if (String(error).includes(" - 404: Not Found")) return null;
      throw error;
    }
  },
  async put(key, value, { metadata }) {
    const folder = await mkdtemp(join(tmpdir(), "vestibule-"));
    try {
      const path = join(folder, "snapshot.json");
      await writeFile(path, value);
      await wrangler("put", key, "--path", path, "--metadata", JSON.stringify(metadata));
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

function wrangler(verb: "get" | "put", key: string, ...options: string[]) {
  const args = ["kv", "key", verb, key, "--binding", "SNAPSHOTS", "--remote", ...options];
  return run("wrangler", verb === "get" ? [...args, "--text"] : args, {
    cwd: root,
    maxBuffer: 32 * 1024 * 1024,
  });
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      tenant: { type: "string" },
      "active-limit": { type: "string" },
      "dry-run": { type: "boolean" },
      "state-dir": { type: "string" },
      remote: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const [file, ...rest] = positionals;
  if (values.help === true || file === undefined || rest.length > 0) {
    console.error(usage);
    process.exitCode = values.help === true ? 0 : 2;
    return;
  }
  const activeLimit = Number(values["active-limit"] ?? 1);
  if (!Number.isInteger(activeLimit)) throw new Error(`--active-limit must be a whole number\n\n${usage}`);
  const options: PublishOptions = {
    tenant: values.tenant ?? "default",
    activeLimit,
    dryRun: values["dry-run"] ?? false,
  };
  const snapshot =
    values.remote === true
      ? await publishFile(file, remoteStore, options)
      : await publishLocally(file, values["state-dir"] ?? process.env.STATE_DIR ?? ".state", options);
  if (options.dryRun) {
    console.log(JSON.stringify(snapshot, null, 2));
    return;
  }
  const count = snapshot.flags.length;
  console.log(
    `Published ${snapshotKey(snapshot.tenant)} version ${snapshot.version}: ${count} ${count === 1 ? "flag" : "flags"} served, ${snapshot.experiments.length} experiments known.`,
  );
}

async function publishLocally(file: string, stateDir: string, options: PublishOptions): Promise<Snapshot> {
  const { openLocalStore } = await import("./local.ts");
  const store = await openLocalStore(stateDir);
  try {
    return await publishFile(file, store.kv, options);
  } finally {
    await store.close();
  }
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
