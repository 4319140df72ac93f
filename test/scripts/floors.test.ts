import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = join(import.meta.dirname, "..", "..");
let house = "";

beforeAll(() => {
  house = mkdtempSync(join(tmpdir(), "vestibule-floors-"));
  cpSync(join(root, ".biome.json"), join(house, ".biome.json"));
});
afterAll(() => rmSync(house, { recursive: true }));

/** Which rules the linter says these files break. */
function brokenRules(files: Record<string, string>): string[] {
  rmSync(join(house, "src"), { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(house, path)), { recursive: true });
    writeFileSync(join(house, path), text);
  }
  const biome = join(root, "node_modules", ".bin", "biome");
  const { stdout, status } = spawnSync(biome, ["lint", "--vcs-enabled=false", "--reporter=json", "."], {
    cwd: house,
    encoding: "utf8",
  });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { category: string; severity: string }[] };
  const broken = diagnostics.filter(({ severity }) => severity === "error").map(({ category }) => category);
  expect(status === 0).toBe(broken.length === 0);
  return [...new Set(broken)].sort();
}

const floor = ["lint/style/noRestrictedImports"];
const importing = (path: string) => `import { x } from "${path}";\nexport const y = x;\n`;

it.each([
  ["src/engine/a.ts", "../model/b.ts", floor],
  ["src/engine/a.ts", "valibot", floor],
  ["src/engine/a.ts", "node:fs", floor],
  ["src/engine/a.ts", "murmurhash-js", []],
  ["src/engine/a.ts", "./b.ts", []],
  ["src/stats/a.ts", "../engine/b.ts", floor],
  ["src/model/a.ts", "../engine/b.ts", []],
  ["src/model/a.ts", "valibot", []],
  ["src/model/a.ts", "cloudflare:workers", floor],
  ["src/model/a.ts", "hono", floor],
  ["src/model/a.ts", "../snapshot/b.ts", floor],
  ["src/model/a.ts", "../alarms/b.ts", floor],
  ["src/alarms/a.ts", "../model/b.ts", floor],
  ["src/alarms/a.ts", "../control/b.ts", floor],
  ["src/control/a.ts", "../alarms/b.ts", []],
  ["src/control/a.ts", "../cohorts/b.ts", floor],
  ["src/control/a.ts", "../gate/b.ts", floor],
  ["src/control/a.ts", "../gate/presets/b.ts", []],
  ["src/gate/presets/a.ts", "../../model/b.ts", []],
  ["src/gate/presets/a.ts", "../b.ts", floor],
  ["src/gate/presets/a.ts", "../../assignment/b.ts", floor],
  ["src/cohorts/a.ts", "../alarms/b.ts", []],
  ["src/cohorts/a.ts", "../control/b.ts", floor],
  ["src/snapshot/a.ts", "../model/b.ts", []],
  ["src/snapshot/a.ts", "../ledger/b.ts", floor],
  ["src/ledger/a.ts", "../alarms/b.ts", []],
  ["src/ledger/a.ts", "../logs/b.ts", floor],
  ["src/ledger/a.ts", "../queue/b.ts", floor],
  ["src/queue/a.ts", "../model/b.ts", []],
  ["src/queue/a.ts", "../ledger/b.ts", floor],
  ["src/snapshot/a.ts", "../assignment/b.ts", floor],
  ["src/snapshot/a.ts", "../settings.ts", floor],
  ["src/assignment/a.ts", "../snapshot/b.ts", []],
  ["src/assignment/a.ts", "../gate/b.ts", floor],
  ["src/gate/a.ts", "../assignment/b.ts", []],
  ["src/gate/a.ts", "../api/native/b.ts", floor],
  ["src/gate/a.ts", "../worker.ts", floor],
  ["src/gate/a.ts", "../workers/b.ts", floor],
  ["src/workers/a.ts", "../dashboard/b.ts", []],
  ["src/worker.ts", "./gate/b.ts", []],
])("%s may import %s unless a floor forbids it", (file, path, expected) => {
  expect(brokenRules({ [file]: importing(path) })).toEqual(expected);
});

it("refuses import cycles", () => {
  const files = {
    "src/model/a.ts": importing("./b.ts"),
    "src/model/b.ts": `${importing("./a.ts")}export { y as x };\n`,
  };
  expect(brokenRules(files)).toContain("lint/suspicious/noImportCycles");
});

it("refuses promises nobody awaits", () => {
  const text = "async function work(): Promise<void> {}\nexport function start(): void {\n  work();\n}\n";
  expect(brokenRules({ "src/gate/a.ts": text })).toEqual(["lint/nursery/noFloatingPromises"]);
});
