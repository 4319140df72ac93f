/** Who is in a cohort gets its variation within the hour, through `npm start`, whose clock is moved between its runs. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createVisitor } from "../../scripts/browserless/visitor.ts";
import { demoPassword } from "../../scripts/demo/accounts.ts";
import { createManagement, type Management } from "../../scripts/management.ts";
import type { CohortStatus } from "../../src/model/cohort.ts";
import { findQuietPort, kill, ready, type Started, start } from "../scripts/started.ts";
import { letTimePass } from "./clock.ts";
import { logEntriesOf } from "./log-in-report.ts";
import { sample, variationOn } from "./stack.ts";

const cohort = "coh_BetaTesters";
const experiment = "exp_BetaLogin";
const minuteMs = 60_000;

/** Has a list of devices, and is up or down. */
function createSource(port: number) {
  const devices = new Set<string>();
  let asked = 0;
  let server: Server | undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    devices,
    asked: () => asked,
    async rise() {
      server = createServer((_, response) => {
        asked++;
        response.end(Array.from(["somebody-else", ...devices], (id) => `${JSON.stringify({ device: id })}\n`).join(""));
      });
      await new Promise<void>((resolve) => server?.listen(port, "127.0.0.1", resolve));
    },
    async fall() {
      const ended = new Promise((resolve) => server?.close(resolve));
      server?.closeAllConnections();
      await ended;
    },
  };
}

let stateDir: string;
let port: number;
let source: ReturnType<typeof createSource>;
let running: Started | undefined;
let management: Management;
const visitor = createVisitor();

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "vestibule-cohorts-"));
  port = await findQuietPort();
  source = createSource(await findQuietPort());
  await source.rise();
  await begin();
  await management.send("PATCH", `/cohorts/${cohort}`, {
    source: { type: "url", url: `${source.url}/devices`, format: "ndjson", field: "device" },
  });
  await management.send("POST", `/experiments/${sample.experiment}/status`, { status: "paused" });
  await management.send("POST", `/experiments/${experiment}/status`, { status: "active" });
  await published(1);
});
afterAll(async () => {
  await end();
  await source.fall();
  await rm(stateDir, { recursive: true, force: true });
});

async function begin(): Promise<void> {
  running = start({ PORT: String(port), STATE_DIR: stateDir, COHORT_HOSTS: source.url });
  await ready(running);
  const { ADMIN_TOKEN: token } = JSON.parse(await readFile(join(stateDir, "secrets.json"), "utf8"));
  management = createManagement({ url: `http://localhost:${port}`, token });
}

async function end(): Promise<void> {
  if (running === undefined) return;
  kill(-running.pid, "SIGTERM");
  await running.exitCode;
  kill(-running.pid, "SIGKILL");
  running = undefined;
}

async function later(minutes: number): Promise<void> {
  await end();
  letTimePass(stateDir, minutes * minuteMs);
  await begin();
}

async function status(): Promise<CohortStatus> {
  return (await management.send("GET", `/cohorts/${cohort}`)).status;
}

/** Waits until the snapshot in KV points at an index in which the cohort is so large. */
async function published(size: number): Promise<void> {
  const isPublished = async () => {
    const { pending, snapshot } = await management.send("GET", "/snapshot");
    expect({ pending, size: snapshot.cohorts?.ready[cohort]?.size }).toEqual({ pending: null, size });
  };
  await vi.waitFor(isPublished, { timeout: 30_000, interval: 50 });
}

/** The visitor signs in once more, from the application's first page to the end; what the log-in page was. */
async function logIn(): Promise<string | undefined> {
  await visitor.get(`http://localhost:${port + 1}/login?prompt=login`);
  const { variation } = variationOn(visitor.page);
  await visitor.submit({ email: "someone@example.com", password: demoPassword });
  expect(visitor.page.body).toContain("You are signed in");
  return variation;
}

/** What a log-in says within seconds: an isolate asks for a newer snapshot behind an answer. */
const logInsBecome = (variation: string) =>
  vi.waitFor(async () => expect(await logIn()).toBe(variation), { timeout: 10_000, interval: 100 });

const device = () => visitor.cookies.get(`http://localhost:${port}`, "vst_did")?.slice(0, 22) ?? "";
const isMember = async () =>
  (await management.send("GET", `/cohorts/${cohort}/members/${device()}`)).is_member as boolean;

describe("a cohort at npm start", () => {
  it("leaves a stranger at the fallback, also right after joining at the source", async () => {
    await logInsBecome(sample.control);
    source.devices.add(device());
    const asked = source.asked();
    expect(await logIn()).toBe(sample.control);
    expect(source.asked()).toBe(asked);
    expect(await isMember()).toBe(false);
  });

  it("changes the assignment an hour later, by itself", async () => {
    const { refreshed_at: before } = await status();
    await later(60);
    await published(2);
    expect(await status()).toMatchObject({ state: "ok", size: 2, added: 1, removed: 0, error: null });
    expect(Date.parse((await status()).refreshed_at ?? "")).toBeGreaterThan(Date.parse(before ?? ""));
    expect(await isMember()).toBe(true);
    await logInsBecome(sample.treatment);
  });

  it("goes by the last good members while the source is down, and says so", async () => {
    source.devices.delete(device());
    await source.fall();
    await later(60);
    await vi.waitFor(async () => expect((await status()).state).toBe("failing"), { timeout: 30_000, interval: 50 });
    await logInsBecome(sample.treatment);
    expect(await isMember()).toBe(true);
    const { error, size, failures, next_attempt_at } = await status();
    expect({ size, failures }).toEqual({ size: 2, failures: 1 });
    expect(error).toContain(`${source.url}/devices: no answer`);
    expect(Date.parse(next_attempt_at ?? "") - Date.now()).toBeLessThanOrEqual(minuteMs);
  });

  it("goes on doing so, and warns of how old they are in the log, the API and health", async () => {
    await later(90);
    await vi.waitFor(async () => expect((await status()).failures).toBe(2), { timeout: 30_000, interval: 50 });
    await logInsBecome(sample.treatment);
    const { refreshed_at } = await status();
    expect(Date.now() - Date.parse(refreshed_at ?? "")).toBeGreaterThan(150 * minuteMs);

    const health = await (await fetch(`http://localhost:${port}/_vestibule/health`)).json();
    expect(health.snapshots.default.oldest_cohort.id).toBe(cohort);
    expect(health.snapshots.default.oldest_cohort.age_seconds).toBeGreaterThan(150 * 60);
    await vi.waitFor(() => {
      const lines = running?.output().split("\n") ?? [];
      const entries = logEntriesOf(lines.map((message) => ({ level: "", message })));
      const stale = entries.filter(({ details }) => details.code === "cohort_stale");
      // At once, and through the queue.
      expect(stale).toHaveLength(2);
      expect(stale[0]?.description).toMatch(/Beta testers.* 1[56]\d minutes ago.*no answer/);
    });
  });

  it("takes what the source has when it is back", async () => {
    await source.rise();
    expect(await management.send("POST", `/cohorts/${cohort}/refresh`)).toMatchObject({ state: "ok", removed: 1 });
    await published(1);
    await logInsBecome(sample.control);
  });
});
