/** `npm run deploy`: checks what would be deployed, then deploys all Workers. Arguments go to each `wrangler deploy`. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readSettings, secretNames } from "../src/settings.ts";
import { check } from "./check.ts";
import { root, wranglerConfig } from "./paths.ts";
import { findNamingFaults, readConfiguration, type WorkerFile, withWorkers } from "./workers.ts";

const wrangler = join(root, "node_modules", "wrangler", "bin", "wrangler.js");
const neededSecrets = ["COOKIE_KEYS", "STAMP_KEY"] as const;
const placeholderNamespace = "0".repeat(32);

const passedOn = process.argv.slice(2);
const { env: environment } = parseArgs({
  args: passedOn,
  options: { env: { type: "string", short: "e" } },
  strict: false,
}).values as { env?: string };
const inEnvironment = environment === undefined ? [] : ["--env", environment];
const inWords = inEnvironment.map((word) => ` ${word}`).join("");

/** Errors that the Worker would report on its first request. */
function findSettingsErrors(): string[] {
  const config = readConfiguration(environment);
  const namespaces: { binding: string; id?: string }[] = config.kv_namespaces;
  const errors = namespaces
    .filter(({ id }) => id === placeholderNamespace)
    .map(
      ({ binding }) =>
        `wrangler.toml: ${binding} has no namespace yet; \`npx wrangler kv namespace create ${binding}\` gives its id`,
    );

  const listed = spawnSync(
    process.execPath,
    [wrangler, "secret", "list", "--config", wranglerConfig, ...inEnvironment],
    { encoding: "utf8", cwd: root },
  );
  const isKnown = listed.status === 0;
  for (const name of isKnown ? neededSecrets : []) {
    if (!listed.stdout.includes(`"${name}"`))
      errors.push(`${name}: missing; \`npx wrangler secret put ${name}${inWords}\``);
  }
  if (!isKnown)
    console.warn(
      "The Worker's secrets cannot be listed (a first deployment?); the first request says what is missing.",
    );

  // The secrets' values stay where they are; well-formed ones stand in for them.
  const stand = "A".repeat(43);
  const variables = { COOKIE_KEYS: `k1:${stand}`, STAMP_KEY: stand, ...config.vars };
  for (const name of secretNames) {
    if (Object.hasOwn(config.vars, name))
      errors.push(
        `${name}: a secret; remove it from wrangler.toml and use \`npx wrangler secret put ${name}${inWords}\``,
      );
  }
  return [...errors, ...findNamingFaults(config), ...readSettings(variables).errors];
}

/** In their order: what a Worker calls is there before it. */
function deployAll(workers: readonly WorkerFile[]): boolean {
  return workers.every(({ part, name, configPath }) => {
    console.log(`\n${name}`);
    // Those behind are made of the environment; it is no part of what wrangler reads of them.
    const args = part === "login" ? passedOn : withoutEnvironment(passedOn);
    const { status } = spawnSync(process.execPath, [wrangler, "deploy", "--config", configPath, ...args], {
      cwd: root,
      stdio: "inherit",
    });
    if (status !== 0) console.error(`\n${name} was not deployed, nor what comes after it.`);
    return status === 0;
  });
}

function withoutEnvironment(args: readonly string[]): string[] {
  return args.filter((arg, at) => !/^(-e|--env)(=|$)/.test(arg) && !/^(-e|--env)$/.test(args[at - 1] ?? ""));
}

async function deploy(): Promise<boolean> {
  const errors = findSettingsErrors();
  if (errors.length > 0) {
    console.error(["Not deployed. The settings are wrong:", ...errors].join("\n  "));
    return false;
  }
  if (!(await check())) {
    console.error("\nNot deployed: the check failed.");
    return false;
  }
  return withWorkers(async (workers) => deployAll(workers), { environment });
}

if (!(await deploy())) process.exitCode = 1;
