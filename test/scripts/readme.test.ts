/** The README's commands, as they stand there, against `npm start`. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { base64url, SignJWT } from "jose";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "../../scripts/paths.ts";
import { type Running, run } from "./started.ts";

const readReadme = () => readFile(join(root, "README.md"), "utf8");

let running: Running;
beforeAll(async () => {
  running = await run();
});
afterAll(() => running.close());

it("makes an experiment, shows it, pauses and completes it", async () => {
  const readme = await readReadme();
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

it("verifies the signed stamp, and believes no config that was not signed", async () => {
  const [, example = ""] = /^```js\n(.*?)^```/ms.exec(await readReadme()) ?? [];
  const key = new Uint8Array(32).fill(7);
  const signed = JSON.stringify({ headline: "Welcome back" });
  const experiment = { experiment_id: "exp_1", flag_key: "login_page", variation_id: "var_1", control: false };
  const config_sha256 = createHash("sha256").update(signed).digest("base64url");
  const other = { ...experiment, experiment_id: "exp_2" };
  const stamp = await new SignJWT({ host: "login.example.com", experiments: [{ ...experiment, config_sha256 }, other] })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer("vestibule")
    .setAudience("default")
    .setIssuedAt()
    .setExpirationTime("1m")
    .sign(key);
  const readBy = async (config: string) => {
    const headers = { "x-experiment-stamp": stamp, "x-experiment-config": `${base64url.encode(config)},` };
    const program = `const request = { headers: new Headers(${JSON.stringify(headers)}) };
${example}
console.log(JSON.stringify(experiments));`;
    const env = { ...process.env, STAMP_KEY: base64url.encode(key) };
    const node = ["--input-type=module", "--eval", program];
    const { stdout } = await promisify(execFile)(process.execPath, node, { cwd: root, env });
    return JSON.parse(stdout);
  };
  expect(await readBy(signed)).toEqual([{ ...experiment, config: { headline: "Welcome back" } }, other]);
  expect(await readBy(JSON.stringify({ headline: "Forged" }))).toEqual([experiment, other]);
});
