/** `npm start` as somebody would run it, on a port and a state of its own: support for tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { listen } from "../../scripts/demo/listen.ts";
import { root } from "../../scripts/paths.ts";

const settingNames = [
  "PORT",
  "ORIGIN",
  "TENANTS",
  "ADMIN_HOSTS",
  "ADMIN_TOKEN",
  "COOKIE_KEYS",
  "STAMP_KEY",
  "UNIT_KEY",
  "STATE_DIR",
  "COHORT_HOSTS",
  "FETCH_RATE",
];
/** What this process runs with, but for the settings. */
export const quiet = Object.fromEntries(Object.entries(process.env).filter(([name]) => !settingNames.includes(name)));

export interface Started {
  /** Of npm. */
  pid: number;
  process: ChildProcess;
  /** Everything printed so far, on either stream. */
  output(): string;
  /** Once npm has ended. */
  exitCode: Promise<number | null>;
}

export function start(settings: Record<string, string>): Started {
  // A group of its own, as a terminal gives each command.
  const child = spawn("npm", ["start"], {
    cwd: root,
    detached: true,
    env: { ...quiet, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const exitCode = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  return { pid: child.pid ?? 0, process: child, output: () => output, exitCode };
}

export async function ready(one: Started): Promise<void> {
  await vi.waitFor(() => expect(one.output()).toContain("Ctrl-C ends it"), { timeout: 60_000, interval: 50 });
}

/** Below those that the system hands out, which somebody else may be given before the start has come to listen. */
export async function findQuietPort(): Promise<number> {
  const port = 10_000 + Math.floor(Math.random() * 20_000);
  try {
    for (const one of [port, port + 1]) await (await listen(one, () => {})).close();
    return port;
  } catch {
    return findQuietPort();
  }
}

export function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

export interface Running {
  port: number;
  /** For commands that talk to it. */
  env: NodeJS.ProcessEnv;
  token: string;
  /** Of the management API. */
  api: string;
  /** Everything printed so far. */
  output(): string;
  close(): Promise<void>;
}

/** Started, set up, and ready. */
export async function run(settings: Record<string, string> = {}): Promise<Running> {
  const stateDir = await mkdtemp(join(tmpdir(), "vestibule-started-"));
  const port = await findQuietPort();
  const own = { PORT: String(port), STATE_DIR: stateDir };
  const one = start({ ...own, ...settings });
  await ready(one);
  return {
    port,
    env: { ...quiet, ...own },
    token: JSON.parse(await readFile(join(stateDir, "secrets.json"), "utf8")).ADMIN_TOKEN,
    api: `http://localhost:${port}/api/v2/experimentation`,
    output: one.output,
    async close() {
      kill(-one.pid, "SIGTERM");
      await one.exitCode;
      kill(-one.pid, "SIGKILL");
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
