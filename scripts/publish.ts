/**
 * Publishes a configuration file as a tenant's next snapshot: into the local store that `npm start` reads, or with
 * `--remote` into the Worker's KV namespace through wrangler.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { type Snapshot, snapshotKey } from "../src/model/snapshot.ts";
import { root } from "./bundle.ts";
import { openLocalStore } from "./local.ts";
import { type PublishOptions, publishFile, type SnapshotStore } from "./publish-file.ts";

const usage = `Usage: npm run publish -- <file.json> [options]

  --tenant <name>      whose snapshot it becomes (default)
  --active-limit <n>   how many experiments may be active at a time (1)
  --dry-run            check the file and show the snapshot, publish nothing
  --state-dir <dir>    where npm start keeps its state (.state)
  --remote             publish to Cloudflare instead, with wrangler's log-in`;

const run = promisify(execFile);

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
