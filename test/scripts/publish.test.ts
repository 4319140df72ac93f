import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PublishError, publishFile, type SnapshotStore } from "../../scripts/publish-file.ts";

const sample = fileURLToPath(new URL("../../scripts/sample/login-page.json", import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vestibule-publish-"));
});
afterAll(() => rm(folder, { recursive: true }));

function store(): SnapshotStore & { values: Map<string, string>; metadata: unknown[] } {
  const values = new Map<string, string>();
  const metadata: unknown[] = [];
  return {
    values,
    metadata,
    get: async (key) => values.get(key) ?? null,
    put: async (key, value, options) => {
      values.set(key, value);
      metadata.push(options.metadata);
    },
  };
}

async function fileOf(text: string): Promise<string> {
  const file = join(folder, "configuration.json");
  await writeFile(file, text);
  return file;
}

describe("publishFile", () => {
  it("publishes one version after the other under the tenant's key", async () => {
    const kv = store();
    const at = new Date("2025-01-31T12:00:00Z");
    await publishFile(sample, kv, { tenant: "acme", at });
    const second = await publishFile(sample, kv, { tenant: "acme", at });
    expect(second).toMatchObject({ version: 2, tenant: "acme", published_at: "2025-01-31T12:00:00.000Z" });
    expect([...kv.values.keys()]).toEqual(["snapshot:acme"]);
    expect(JSON.parse(kv.values.get("snapshot:acme") ?? "")).toEqual(second);
    expect(kv.metadata).toEqual([{ version: 1 }, { version: 2 }]);
  });

  it("puts nothing on a dry run", async () => {
    const kv = store();
    expect(await publishFile(sample, kv, { dryRun: true })).toMatchObject({ version: 1, tenant: "default" });
    expect(kv.values.size).toBe(0);
  });

  it("puts nothing of a faulty file and names every fault", async () => {
    const kv = store();
    const file = await fileOf(
      JSON.stringify({
        feature_flags: [{ name: "Page", variations: [{ name: "Control" }] }],
        experiments: [{ name: "Trial", feature_flag_id: "page", status: "active", allocations: [] }],
      }),
    );
    const error = await publishFile(file, kv).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PublishError);
    expect(error).toHaveProperty("message", expect.stringContaining("feature_flags[0].variations: an active feature"));
    expect((error as PublishError).problems).toHaveLength(3);
    expect(kv.values.size).toBe(0);
  });

  it("says when a file is not JSON", async () => {
    await expect(publishFile(await fileOf("{"), store())).rejects.toThrow("must be JSON");
  });

  it("does not guess the version of what it cannot read", async () => {
    const kv = store();
    kv.values.set("snapshot:default", "garbage");
    await expect(publishFile(sample, kv)).rejects.toThrow("no readable version");
    expect(kv.values.get("snapshot:default")).toBe("garbage");
  });
});
