// Runs one of the project's scripts on a fresh clone: installs what is missing, then hands over to the Node that came
// with it. Plain JavaScript without dependencies, because whatever Node is on the machine reads it.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [script, ...args] = process.argv.slice(2);

const installed = join(root, "node_modules", ".package-lock.json");
const lock = join(root, "package-lock.json");
const major = Number(process.versions.node.split(".")[0]);
if (major < 20) {
  console.error(`Vestibule needs Node 20 or later to start with; this is ${process.version}.`);
  process.exit(1);
}

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs - 1000) {
  console.error("Installing what is missing (npm install) …");
  // Not `npm ci`: it refuses a lock without every platform's optional packages, and a registry may not have them all.
  // The versions are the lock's all the same, and --no-save leaves it as it is.
  const npm = spawnSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (npm.status !== 0) {
    console.error("npm install failed; nothing was started.");
    process.exit(npm.status ?? 1);
  }
}

const node = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
const child = spawn(existsSync(node) ? node : process.execPath, [join(root, script), ...args], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH}` },
});
// A Ctrl-C reaches the whole foreground group; a signal sent to this process alone is passed on.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
// A signal that cannot be passed on (SIGKILL to npm) leaves us behind: then we end what we started. Between npm and us
// may stand the shell of the script, which notices nothing.
const parent = process.ppid;
const [, above, name] = /^\s*(\d+)\s+(.*\S)/.exec(ps("ppid=,comm=", parent)) ?? [];
const npm = process.env.npm_lifecycle_event && /(^|\/)-?\w*sh$/.test(name ?? "") ? Number(above) : parent;
const isAlone = () => process.ppid !== parent || !isAlive(npm);
if (process.platform !== "win32") setInterval(() => isAlone() && child.kill("SIGTERM"), 500).unref();
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));

function ps(columns, pid) {
  return spawnSync("ps", ["-o", columns, "-p", String(pid)], { encoding: "utf8" }).stdout ?? "";
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}
