/** The whole product on this machine: the Worker on workerd, a demo identity provider behind it, an application before. */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, relative, resolve } from "node:path";
import { hostMatches } from "../src/model/host.ts";
import type { SnapshotExperiment } from "../src/model/snapshot.ts";
import { readSettings } from "../src/settings.ts";
import { demoPassword } from "./demo/accounts.ts";
import { addressed, leadTo } from "./demo/beta-testers-source.ts";
import { findFreePort } from "./demo/listen.ts";
import { isSignUp } from "./demo/login-parameters.ts";
import { startProvider } from "./demo/provider.ts";
import { redirectUriOf, startRelyingParty } from "./demo/relying-party.ts";
import { createManagement, type Management, type Publication, Refusal, untilPublished } from "./management.ts";
import { root } from "./paths.ts";

const sampleFile = join(root, "scripts", "sample", "login-page.json");
/** Beside it in the demo alone: nobody else has such a list to fetch. */
const betaTestersFile = join(root, "scripts", "sample", "beta-testers.json");
const passedOn = [
  "TENANTS",
  "ORIGIN_HEADERS",
  "COOKIE_KEYS",
  "STAMP_KEY",
  "UNIT_KEY",
  "ADMIN_TOKEN",
  "COHORT_HOSTS",
  "LOG_STREAM_HOSTS",
  "LOG_RETENTION_DAYS",
  "LOG_MAX_MB",
  "LEDGER_SHARDS",
  "LEDGER_MAX_UNITS",
  "LEDGER_RETENTION_DAYS",
  "DECISION_BUDGET_MS",
  "FETCH_RATE",
  "SNAPSHOT_FRESH_SECONDS",
] as const;

class StartError extends Error {}

const defaultPort = 8787;
const highestPort = 65_535;

/** The port, or what is wrong with it. */
function readPort(): number | string {
  const text = process.env.PORT || String(defaultPort);
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= highestPort) return port;
  return `PORT: must be a whole number from 1 to ${highestPort} (got ${JSON.stringify(text)})`;
}

/** Both addresses a browser may mean by localhost. */
async function isFree(port: number): Promise<boolean> {
  const codes = await Promise.all(["127.0.0.1", "::1"].map((host) => tryPort(port, host)));
  return codes.every((code) => code !== "EADDRINUSE");
}

/** Node's error code, or undefined when the port can be had. */
function tryPort(port: number, host: string): Promise<string | undefined> {
  return new Promise((settle) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => settle(error.code));
    probe.listen(port, host, () => probe.close(() => settle(undefined)));
  });
}

/** @throws StartError where nothing of ours can listen */
async function expectPort(port: number): Promise<void> {
  const other = port + 10 > highestPort ? port - 10 : port + 10;
  const instead = `choose another: PORT=${other} npm start`;
  if (!(await isFree(port))) throw new StartError(`Port ${port} is taken by another program. Stop it, or ${instead}`);
  const code = await tryPort(port, "127.0.0.1");
  if (code !== undefined) throw new StartError(`Port ${port} cannot be opened (${code}); ${instead}`);
}

/** Keys made once and kept, so that cookies outlive a restart. */
async function readSecrets(stateDir: string): Promise<Record<string, string>> {
  const file = join(stateDir, "secrets.json");
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      throw new StartError(`${file} cannot be read (${error}). Mend it or delete it; new keys are made then.`);
    }
  }
  const key = () => randomBytes(32).toString("base64url");
  const secrets = { COOKIE_KEYS: `k1:${key()}`, STAMP_KEY: key(), ADMIN_TOKEN: randomBytes(24).toString("base64url") };
  try {
    await mkdir(stateDir, { recursive: true });
    await writeFile(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  } catch (error) {
    throw new StartError(`Nothing can be kept in STATE_DIR ${stateDir} (${error}).`);
  }
  return secrets;
}

interface Settled {
  port: number;
  vars: Record<string, string>;
  /** Whether the management API is to be had at the address that is printed. */
  isManaged: boolean;
}

/** The demo's tenant: its list of stamps is on the login host too, and whoever reads it is no visitor of a login page. */
const demoTenant = { inject: "attributes", paths: ["/auth/**", "/interaction/**"] };

/** @throws StartError naming every setting that is wrong */
async function readStartSettings(stateDir: string, origin: string, tenant: object): Promise<Settled> {
  const given = readPort();
  const port = typeof given === "number" ? given : defaultPort;
  const vars: Record<string, string> = {
    ORIGIN: origin,
    ADMIN_HOSTS: process.env.ADMIN_HOSTS ?? `localhost:${port},127.0.0.1:${port}`,
    TENANTS: JSON.stringify({ default: tenant }),
    // Whoever looks once after a commit sees it.
    SNAPSHOT_FRESH_SECONDS: "0.1",
    ...(await readSecrets(stateDir)),
  };
  for (const name of passedOn) {
    const value = process.env[name];
    if (value) vars[name] = value;
  }
  const checked = readSettings(vars);
  const errors = [...(typeof given === "string" ? [given] : []), ...checked.errors];
  if (errors.length > 0) throw new StartError(["The settings are wrong:", ...errors].join("\n  "));
  const isManaged = checked.adminHosts.some((pattern) => hostMatches(pattern, `localhost:${port}`));
  return { port, vars, isManaged };
}

interface Force {
  label: string;
  query: string;
}

function overridesOf(experiments: readonly SnapshotExperiment[]): Force[] {
  // An experiment on the sign-up page is seen there.
  const pageOf = (config: Record<string, unknown>) => (isSignUp(config) ? "&prompt=create" : "");
  return experiments.flatMap(({ id, name, status, variations }) =>
    variations.map((variation) => ({
      label: `${name}${status === "active" ? "" : ` (${status})`}: ${variation.key}`,
      query: `experiment_id=${id}&variation_id=${variation.id}${pageOf(variation.config)}`,
    })),
  );
}

async function readJson(file: string) {
  return JSON.parse(await readFile(file, "utf8"));
}

interface DemoOrigins {
  /** The application's origin, where its list of beta testers is. */
  app: string;
  /** Where keys of the sample's deployments are kept: a server's is shown but once. */
  keysFile: string;
}

/**
 * What is configured, once the gate can see it; the sample where nothing ever was.
 * @param demo null without the demo
 * @throws {Refusal}
 */
async function setUp(management: Management, demo: DemoOrigins | null): Promise<Publication> {
  const { version }: Publication = await management.send("GET", "/snapshot");
  if (demo !== null && version === 0) {
    const { deployments } = await management.import(await readJson(sampleFile));
    const keys = Object.fromEntries(deployments.map(({ name, key }) => [name, key]));
    await writeFile(demo.keysFile, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
    await management.import(addressed(await readJson(betaTestersFile), demo.app));
  } else if (demo !== null) await leadTo(management, demo.app);
  return untilPublished(management);
}

/** Keys that apps of the demo fetch with, by deployment; none where the sample was imported otherwise. */
async function readDemoKeys(keysFile: string): Promise<[string, string][]> {
  const keys = await readJson(keysFile).catch(() => ({}));
  return Object.entries(keys).map(([name, key]) => [`Key of ${name}`, String(key)]);
}

const closers: (() => Promise<void>)[] = [];

interface DemoOptions {
  stateDir: string;
  /** The gate's. */
  port: number;
  /** Where the gate forwards to. */
  providerPort: number;
  stampKey: string | undefined;
}

/** The provider and the application: what the Worker forwards to and fetches from has to be there before it is. */
async function startDemo({ stateDir, port, providerPort, stampKey }: DemoOptions) {
  const clientId = "demo";
  const issuer = `http://localhost:${port}`;
  const appPort = port < highestPort && (await isFree(port + 1)) ? port + 1 : await findFreePort();
  const clients = [{ client_id: clientId, redirect_uris: [redirectUriOf(appPort)] }];
  const provider = await startProvider({ port: providerPort, issuer, clients, ...(stampKey ? { stampKey } : {}) });
  closers.push(provider.close);
  /** Filled once it is known what is configured. */
  const overrides: Force[] = [];
  const betaTesters = join(stateDir, "beta-testers.csv");
  const app = await startRelyingParty({ port: appPort, issuer, clientId, overrides, betaTesters });
  closers.push(app.close);
  // Not by the name: the Worker may take localhost for another address.
  return { url: app.url, origin: `http://127.0.0.1:${appPort}`, overrides };
}

async function start(): Promise<void> {
  const stateDir = resolve(root, process.env.STATE_DIR || ".state");
  const given = process.env.ORIGIN;
  const providerPort = given ? 0 : await findFreePort();
  const tenant = given ? { inject: "attributes" } : demoTenant;
  const origin = given || `http://127.0.0.1:${providerPort}`;
  const { port, vars, isManaged } = await readStartSettings(stateDir, origin, tenant);
  await expectPort(port);
  // Loaded once nothing stands in the way: who mistyped a setting is not kept waiting.
  const { startLocal } = await import("./local.ts");
  const url = `http://localhost:${port}`;

  const demo = given ? null : await startDemo({ stateDir, port, providerPort, stampKey: vars.STAMP_KEY });
  if (demo !== null) vars.COHORT_HOSTS = [demo.origin, vars.COHORT_HOSTS ?? []].flat().join(",");
  const worker = await startLocal({ port, stateDir, vars, onLog: (_level, message) => console.log(message) });
  closers.push(worker.close);
  const keysFile = join(stateDir, "deployment-keys.json");
  const management = createManagement({ url: worker.url, token: vars.ADMIN_TOKEN ?? "", tenant: "default" });
  let publication: Publication | undefined;
  let trouble = isManaged ? "" : `not at ${url}, which is none of ADMIN_HOSTS`;
  try {
    if (isManaged) publication = await setUp(management, demo === null ? null : { app: demo.origin, keysFile });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    trouble = error.message;
  }
  const managed: [string, string][] = [
    ["Dashboard", trouble || `${url}/_vestibule/`],
    ["Management API", trouble || management.url],
    ["Its token", process.env.ADMIN_TOKEN ? "yours, ADMIN_TOKEN" : `ADMIN_TOKEN in ${join(stateDir, "secrets.json")}`],
    ["Health", `${url}/_vestibule/health`],
  ];

  if (demo === null) {
    printLines([
      ["Vestibule", `${url}  in front of ${given}`],
      [
        "Configuration",
        publication?.version ? "as it was left" : `none yet: npm run import -- ${relative(root, sampleFile)}`,
      ],
      ...managed,
    ]);
    return;
  }
  demo.overrides.push(...overridesOf(publication?.snapshot?.experiments ?? []));
  printLines([
    ["Sign in", `${demo.url}  (any e-mail, password "${demoPassword}")`],
    ...demo.overrides.map(({ label, query }): [string, string] => [`Force ${label}`, `${demo.url}/login?${query}`]),
    ["What was stamped", `${url}/demo/stamps`],
    ["Apps fetch from", `http://127.0.0.1:${port}  (both serverUrl and flagsServerUrl of Amplitude's SDKs)`],
    ...(await readDemoKeys(keysFile)),
    ["Beta testers, a cohort", `${demo.url}/beta-testers`],
    ...managed,
  ]);
}

function printLines(lines: readonly (readonly [string, string])[]): void {
  const width = Math.max(...lines.map(([label]) => label.length));
  console.log(
    `\n${lines.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`).join("\n")}\n\n  Ctrl-C ends it.\n`,
  );
}

let isClosing = false;

async function close(code: number): Promise<void> {
  if (isClosing) return;
  isClosing = true;
  await Promise.allSettled(closers.reverse().map((end) => end()));
  process.exit(code);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void close(0));
// Nothing may outlive the terminal: when whoever started this is gone, so are we.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && void close(0), 1_000).unref();

try {
  await start();
} catch (error) {
  console.error(error instanceof StartError ? error.message : error);
  await close(1);
}
