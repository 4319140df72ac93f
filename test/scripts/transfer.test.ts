/** `npm run import` and `npm run export` against `npm start`. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { root } from "../../scripts/paths.ts";
import { findQuietPort, type Running, run } from "./started.ts";

let running: Running;
let folder: string;
beforeAll(async () => {
  [running, folder] = await Promise.all([run(), mkdtemp(join(tmpdir(), "vestibule-transfer-"))]);
});
afterAll(async () => {
  await running.close();
  await rm(folder, { recursive: true });
});

interface Ended {
  code: number;
  out: string;
  err: string;
}

function npm(command: "import" | "export", args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: root, env: { ...running.env, ...env } };
    execFile("npm", ["run", "--silent", command, "--", ...args], options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

async function fileOf(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

describe("export", () => {
  it("gives the same as JSON and as YAML, which import changes nothing", async () => {
    const [json, yaml] = [join(folder, "tenant.json"), join(folder, "tenant.yaml")];
    expect(await npm("export", ["--out", json])).toEqual({ code: 0, out: "", err: "" });
    expect(await npm("export", ["--out", yaml])).toMatchObject({ code: 0 });
    const text = await readFile(yaml, "utf8");
    expect(text).toContain("  - id: exp_WarmerLogin\n    name: Warmer log-in page\n");
    expect(parse(text)).toEqual(JSON.parse(await readFile(json, "utf8")));
    expect((await npm("export", [])).out).toBe(await readFile(json, "utf8"));
    for (const file of [json, yaml]) {
      expect(await npm("import", [file, "--prune"])).toEqual({ code: 0, out: "Nothing to change.\n", err: "" });
    }
  });
});

describe("import", () => {
  const segments = [{ id: "seg_Phones", name: "Phones", rules: [{ match: { device_type: ["mobile"] } }] }];

  it("shows what it would change, changes it, and deletes only when asked", async () => {
    const file = await fileOf(
      "phones.yaml",
      "segments:\n  - id: seg_Phones\n    name: Phones\n    rules:\n      - match: { device_type: [mobile] }\n",
    );
    const line = "  + segment       Phones (seg_Phones)\n";
    expect(await npm("import", [file, "--dry-run"])).toEqual({
      code: 0,
      out: `${line}Would create 1, update 0 and delete 0. Nothing was changed.\n`,
      err: "",
    });
    expect((await npm("import", [file])).out).toBe(`${line}Created 1, updated 0, deleted 0.\n`);
    const renamed = await fileOf(
      "renamed.json",
      JSON.stringify({ segments: [{ ...segments[0], name: "Telephones" }] }),
    );
    expect((await npm("import", [renamed])).out).toBe(
      "  ~ segment       Telephones (seg_Phones): name\nCreated 0, updated 1, deleted 0.\n",
    );
    const sample = join(root, "scripts", "sample", "login-page.json");
    // What only the demo has goes too.
    expect((await npm("import", [sample, "--prune"])).out.split("\n")).toEqual([
      "  - cohort        Beta testers (coh_BetaTesters)",
      "  - segment       Beta testers (seg_BetaTesters)",
      "  - segment       Telephones (seg_Phones)",
      "  - experiment    Welcome for beta testers (exp_BetaLogin)",
      "Created 0, updated 0, deleted 4.",
      "",
    ]);
  });

  it("shows the key of a new deployment", async () => {
    const file = await fileOf(
      "deployment.json",
      JSON.stringify({ deployments: [{ name: "Back end", type: "server" }] }),
    );
    expect((await npm("import", [file])).out).toMatch(/^The key of server deployment Back end: server-\S{32}$/m);
  });

  it("takes Amplitude's flags", async () => {
    const flag = {
      key: "new-page",
      variants: { control: { key: "control" }, treatment: { key: "treatment" }, off: { key: "off" } },
      segments: [{ variant: "treatment", metadata: { segmentName: "All Other Users" } }],
      metadata: { deployed: true },
    };
    const file = await fileOf("flags.json", JSON.stringify([flag]));
    expect((await npm("import", [file, "--format", "amplitude", "--dry-run"])).out).toContain(
      "+ feature flag  new-page (flg_",
    );
  });

  it.each<[string, string, string, string[]]>([
    [
      "fault of the file",
      "faults.json",
      JSON.stringify({ segments: [{ name: "x", rules: [] }], flags: [] }),
      [
        "faults.json: segments[0].name: must have at least 3 characters\n",
        "faults.json: segments[0].rules: must hold at least one rule\n",
        "faults.json: flags: is not a known property\n",
        "Nothing was changed.\n",
      ],
    ],
    ["broken JSON", "broken.json", "{", ["broken.json is no JSON: "]],
    ["broken YAML", "broken.yaml", "a: [", ["broken.yaml is no YAML: ", "line 1"]],
  ])("names each %s and ends with 1", async (_, name, text, expected) => {
    const { code, out, err } = await npm("import", [await fileOf(name, text)]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    for (const part of expected) expect(err).toContain(part);
    expect(err).not.toMatch(/\n +at /);
  });

  it("says whom it could not reach, who refused it, and how it is used", async () => {
    const file = await fileOf("phones.json", JSON.stringify({ segments }));
    const refused = await npm("import", [file, "--token", "not-the-token-of-it"]);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("401 invalid_token: Invalid token.") });
    const unreached = await npm("import", [file, "--url", `http://127.0.0.1:${await findQuietPort()}`]);
    expect(unreached).toMatchObject({ code: 1, err: expect.stringContaining("fetch failed (ECONNREFUSED)") });
    const elsewhere = await npm("import", [file], { STATE_DIR: join(folder, "nothing") });
    expect(elsewhere).toMatchObject({ code: 1, err: expect.stringContaining("No token: give --token") });
    expect((await npm("import", [])).code).toBe(2);
    expect((await npm("import", [file, "--dryrun"])).code).toBe(2);
    expect(await npm("import", ["--help"])).toMatchObject({ code: 0, err: expect.stringContaining("--dry-run") });
    expect((await npm("export", ["--help"])).err).toContain("--out");
    expect((await npm("import", [join(folder, "none.json")])).err).toContain("ENOENT");
  });
});
