import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createVisitor } from "../../scripts/browserless/visitor.ts";
import { createManagement, type Management } from "../../scripts/management.ts";
import { root } from "../../scripts/paths.ts";
import { findQuietPort, kill, quiet, ready, type Started, start as startNpm } from "./started.ts";

const run = promisify(execFile);
const sampleFile = "scripts/sample/login-page.json";
let folder: string;
let stateDir: string;
const started: Started[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vestibule-start-"));
  stateDir = join(folder, "state");
});
afterAll(async () => {
  for (const { pid } of started) kill(-pid, "SIGKILL");
  await rm(folder, { recursive: true });
});

function start(settings: Record<string, string>): Started {
  const one = startNpm({ STATE_DIR: stateDir, ...settings });
  started.push(one);
  return one;
}

/** The process itself, its children, theirs … */
async function descendantsOf(pid: number): Promise<number[]> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid="]);
  const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  const found = [pid];
  for (const each of found) found.push(...rows.filter(([, parent]) => parent === each).map(([child = 0]) => child));
  return found;
}

/** @param stop does what should end them all */
async function expectNoneLeft(one: Started, stop: () => void): Promise<void> {
  const all = await descendantsOf(one.pid);
  // npm, the launcher, the start itself, and workerd.
  expect(all.length).toBeGreaterThanOrEqual(4);
  stop();
  const left = () => all.filter((pid) => kill(pid, 0));
  await vi.waitFor(() => expect(left()).toEqual([]), { timeout: 10_000, interval: 50 });
}

const addressesIn = (output: string) => [...output.matchAll(/http:\/\/localhost:\d+\S*/g)].map(([address]) => address);

/** What a new visitor's log-in page is called when the treatment is forced. */
async function forcedHeadline(gate: string): Promise<string | undefined> {
  const query = "experiment_id=exp_WarmerLogin&variation_id=var_LoginWe1coming";
  const { body } = await createVisitor().get(`${gate}/auth?${query}`);
  return /&quot;headline&quot;:&quot;([^&]*)&quot;/.exec(body)?.[1];
}

async function importHeadline(port: number, headline: string): Promise<void> {
  const file = join(folder, "configuration.json");
  await writeFile(file, (await readFile(join(root, sampleFile), "utf8")).replace("Welcome back", headline));
  const env = { ...quiet, STATE_DIR: stateDir, PORT: String(port) };
  await run("npm", ["run", "import", "--", file], { cwd: root, env });
}

describe("npm start", () => {
  const visitor = createVisitor();
  let port: number;
  let gate: string;
  let first: Started;
  beforeAll(async () => {
    port = await findQuietPort();
    gate = `http://localhost:${port}`;
    first = start({ PORT: String(port) });
    await ready(first);
  });

  async function connect(): Promise<Management> {
    const { ADMIN_TOKEN: token } = JSON.parse(await readFile(join(stateDir, "secrets.json"), "utf8"));
    return createManagement({ url: gate, token });
  }

  it("prints where to sign in, how to force each variation, and where the stamps are; each answers", async () => {
    const output = first.output();
    for (const label of ["Sign in", "Force Warmer log-in page: control", "What was stamped", "Health"]) {
      expect(output).toContain(`  ${label}  `);
    }
    const addresses = addressesIn(output).filter((address) => !address.includes("/api/"));
    expect(addresses.length).toBeGreaterThanOrEqual(5);
    for (const address of addresses) {
      expect((await createVisitor().get(address)).status, address).toBe(200);
    }
    await visitor.get(addresses[0] ?? "");
    await visitor.click("Sign in");
    expect(visitor.page.body).toMatch(/<html[^>]* data-variation-id="var_/);
    await visitor.submit({ email: "someone@example.com", password: "vestibule" });
    expect(visitor.page.body).toContain("You are signed in");
  });

  it("prints where the management API is, and where its token", async () => {
    const output = first.output();
    const [, api = ""] = /Management API +(\S+)/.exec(output) ?? [];
    const [, secrets = ""] = /Its token +ADMIN_TOKEN in (\S+)/.exec(output) ?? [];
    expect(secrets).toBe(join(stateDir, "secrets.json"));
    const { ADMIN_TOKEN } = JSON.parse(await readFile(secrets, "utf8"));
    const answer = await fetch(`${api}/experiments`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    expect(await answer.json()).toMatchObject({ experiments: [{ id: "exp_WarmerLogin", status: "active" }, {}, {}] });
    expect((await fetch(`${api}/experiments`)).status).toBe(401);
  });

  it("prints where apps fetch, and keys to fetch with, that a restart knows too", async () => {
    const [, server = ""] = /Apps fetch from +(\S+)/.exec(first.output()) ?? [];
    const ask = async (path: string, name: string) => {
      const [, key = ""] = new RegExp(`Key of ${name} +(\\S+)`).exec(first.output()) ?? [];
      const answer = await fetch(`${server}${path}`, { headers: { authorization: `Api-Key ${key}` } });
      return answer.json();
    };
    expect(await ask("/v1/vardata?device_id=d", "Demo app")).toMatchObject({
      login_page: { payload: { layout: expect.any(String) } },
    });
    expect(await ask("/sdk/v2/flags", "Demo back end")).toMatchObject([
      { key: "login_page", metadata: { evaluationMode: "local" } },
    ]);
  });

  it("has a list of beta testers that one can join, and it is a cohort", async () => {
    const [, list = ""] = /Beta testers, a cohort +(\S+)/.exec(first.output()) ?? [];
    await visitor.get(list);
    expect(visitor.page.body).toContain("Nobody is on it");
    await visitor.submit({ wish: "join" });
    const device = visitor.cookies.get(gate, "vst_did")?.slice(0, 22) ?? "";
    expect(visitor.page.body).toContain(`<code>${device}</code> – this browser`);
    expect(await readFile(join(stateDir, "beta-testers.csv"), "utf8")).toContain(`\n${device},`);

    const { send } = await connect();
    expect(await send("POST", "/cohorts/coh_BetaTesters/refresh")).toMatchObject({ state: "ok", size: 1, error: null });
    expect(await send("GET", `/cohorts/coh_BetaTesters/members/${device}`)).toMatchObject({ is_member: true });
    await visitor.submit({ wish: "leave" });
    expect(await send("POST", "/cohorts/coh_BetaTesters/refresh")).toMatchObject({ size: 0, removed: 1 });
  });

  it("says plainly when the port is taken", async () => {
    const second = start({ PORT: String(port) });
    expect(await second.exitCode).not.toBe(0);
    expect(second.output()).toContain(`Port ${port} is taken by another program.`);
    expect(second.output()).not.toMatch(/\bat .*:\d+:\d+/);
  });

  it("goes by what is imported while it runs, within two seconds, for one who looks but once", async () => {
    expect(await forcedHeadline(gate)).toBe("Welcome back");
    await importHeadline(port, "Good to see you");
    await delay(2_000);
    expect(await forcedHeadline(gate)).toBe("Good to see you");
  });

  it("leaves no process behind after Ctrl-C", async () => {
    await expectNoneLeft(first, () => kill(-first.pid, "SIGINT"));
  });

  it("keeps keys and configuration for the next start, on another port too, and ends by SIGTERM to npm alone", async () => {
    const secrets = await readFile(join(stateDir, "secrets.json"), "utf8");
    const moved = await findQuietPort();
    gate = `http://localhost:${moved}`;
    const next = start({ PORT: String(moved) });
    await ready(next);
    expect(next.output()).toContain(`${gate}/api/v2/experimentation`);
    expect(await readFile(join(stateDir, "secrets.json"), "utf8")).toBe(secrets);
    expect(next.output()).toMatch(/Key of Demo back end +server-/);
    expect(await forcedHeadline(gate)).toBe("Good to see you");
    const { cohorts } = await (await connect()).send("GET", "/cohorts");
    const source = { url: `http://127.0.0.1:${moved + 1}/beta-testers.csv` };
    expect(cohorts).toMatchObject([{ id: "coh_BetaTesters", source, status: { size: 0, error: null } }]);
    // The visitor's cookie is still good: no other device is made of it.
    const device = visitor.cookies.get(gate, "vst_did");
    await visitor.get(`${gate}/auth`);
    expect(visitor.cookies.get(gate, "vst_did")).toBe(device);
    await expectNoneLeft(next, () => kill(next.pid, "SIGTERM"));
  });
});

describe("npm start with ORIGIN", () => {
  let origin: Server;
  beforeAll(async () => {
    origin = createServer((request, response) => response.end(`origin saw ${request.url}`));
    await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => origin.close());

  it("forwards there, starts no demo, and does not outlive an npm that is killed hard", async () => {
    const port = await findQuietPort();
    const address = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
    const one = start({ PORT: String(port), ORIGIN: address, STATE_DIR: join(folder, "forwarding") });
    await ready(one);
    expect(one.output()).toContain(`in front of ${address}`);
    expect(one.output()).toContain("npm run import");
    expect(one.output()).not.toContain("Sign in");
    const { body } = await createVisitor().get(`http://localhost:${port}/some/path?a=1`);
    expect(body).toBe("origin saw /some/path?a=1");
    await expectNoneLeft(one, () => kill(one.pid, "SIGKILL"));
  });
});

describe("npm start with wrong settings", () => {
  it("names every one of them and starts nothing", async () => {
    const one = start({
      PORT: "abc",
      ORIGIN: "https://id.example.com/path",
      TENANTS: "{",
      COOKIE_KEYS: "k1:short",
      STAMP_KEY: "short",
      ADMIN_TOKEN: "short",
    });
    expect(await one.exitCode).not.toBe(0);
    const output = one.output();
    for (const name of ["PORT", "ORIGIN", "TENANTS", "COOKIE_KEYS", "STAMP_KEY", "ADMIN_TOKEN"]) {
      expect(output).toMatch(new RegExp(`^ {2}${name}: `, "m"));
    }
    expect(output.match(/The settings are wrong:/g)).toHaveLength(1);
    expect(output).not.toMatch(/\bat .*:\d+:\d+/);
  });

  it("says when it cannot keep anything", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    const one = start({ PORT: String(await findQuietPort()), STATE_DIR: file });
    expect(await one.exitCode).not.toBe(0);
    expect(one.output()).toContain(file);
    expect(one.output()).not.toMatch(/\bat .*:\d+:\d+/);
  });
});
