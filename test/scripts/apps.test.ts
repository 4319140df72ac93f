/** What docs/apps.md tells apps to send, as it stands there, against `npm start`. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "../../scripts/paths.ts";
import { type Running, run } from "./started.ts";

const execute = promisify(execFile);

let running: Running;
let docs: string;
beforeAll(async () => {
  running = await run();
  docs = await readFile(join(root, "docs", "apps.md"), "utf8");
});
afterAll(() => running.close());

/** The page's code blocks in that language that hold `mark`. */
const blocksOf = (language: string, mark: string) =>
  [...docs.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].flatMap(([, text = ""]) =>
    text.includes(mark) ? [text] : [],
  );

it("curl fetches assignments, tells an exposure and outcomes, links device and user, and forces a variation", async () => {
  const [script = "", outcomes = ""] = blocksOf("sh", "/_vestibule/v1/");
  const { stdout, stderr } = await execute("bash", ["-e", "-o", "pipefail", "-c", script + outcomes], {
    cwd: root,
    env: running.env,
  });
  expect(stderr).toBe("");
  const [first, known, told, ended, linked, forced, batch] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const [example = ""] = blocksOf("json", "assignment_id");
  const shape = JSON.parse(example);
  expect(Object.keys(first)).toEqual(Object.keys(shape));
  expect(Object.keys(first.assignments[0])).toEqual(Object.keys(shape.assignments[0]));
  expect(first.assignments[0]).toMatchObject({ key: "login_page", reason: "split", method: "auto" });
  expect(known.assignments[0].variation).toBe(first.assignments[0].variation);
  expect(told).toEqual({ accepted: 1, ignored: [], errors: [] });
  expect(ended).toEqual({ accepted: 1, ignored: [], errors: [] });
  expect(batch).toEqual({ accepted: 2, ignored: [], errors: [] });
  expect(linked).toEqual({ linked: ["exp_WarmerLogin"] });
  expect(forced.assignments).toContainEqual(
    expect.objectContaining({ key: "sign_up_page", variation: "stepwise", method: "forced" }),
  );
});

it("TypeScript does", async () => {
  const [snippet = ""] = blocksOf("ts", "_vestibule");
  const keys = JSON.parse(await readFile(join(running.env.STATE_DIR ?? "", "deployment-keys.json"), "utf8"));
  const code = snippet
    .replace("https://login.example.com", `http://localhost:${running.env.PORT}`)
    .replace("<client key>", keys["Demo app"]);
  const folder = await mkdtemp(join(tmpdir(), "vestibule-apps-"));
  try {
    const file = join(folder, "app.ts");
    await writeFile(file, `${code}\nconsole.log(JSON.stringify([headline, page.parameters.headline, page.reason]));\n`);
    const { stdout } = await execute(process.execPath, [file], { env: { ...running.env, NODE_NO_WARNINGS: "1" } });
    const [headline, given, reason] = JSON.parse(stdout);
    expect([headline, reason]).toEqual([given, "split"]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
