/** The README's commands, as they stand there, against `npm start`. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "../../scripts/paths.ts";
import { type Running, run } from "./started.ts";

let running: Running;
beforeAll(async () => {
  running = await run();
});
afterAll(() => running.close());

it("makes an experiment, shows it, pauses and completes it", async () => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const [script = ""] = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, text = ""]) =>
    text.includes("/validate") ? [text] : [],
  );
  const { stdout, stderr } = await promisify(execFile)("bash", ["-e", "-o", "pipefail", "-c", script], {
    cwd: root,
    env: running.env,
  });
  expect(stderr).toBe("");
  const [active, invalid, paused, valid, experiment, ...pages] = stdout.trim().split("\n");
  expect([active, paused, experiment]).toEqual(["active", "paused", "active"]);
  expect(JSON.parse(invalid ?? "")).toMatchObject({
    is_valid: false,
    errors: [{ code: "experiment_active_limit_exceeded" }],
  });
  expect(JSON.parse(valid ?? "")).toEqual({ is_valid: true, errors: [] });
  expect(pages).toEqual([
    expect.stringMatching(/^data-variation-id="var_\w+"$/),
    expect.stringMatching(/^>(Sign in|Come in)<\/button>$/),
    expect.stringMatching(/^data-variation-id="var_\w+"$/),
    ">Come in</button>",
    "paused",
    ">Sign in</button>",
    "completed",
  ]);
});
