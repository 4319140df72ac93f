/** `npm run deploy`: checks what would be deployed, then deploys it. Arguments go to `wrangler deploy`. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { unstable_readConfig as readConfig } from "wrangler";
import { type Env, readSettings } from "../src/settings.ts";
import { root, wranglerConfig } from "./bundle.ts";
import { check } from "./check.ts";

const wrangler = join(root, "node_modules", "wrangler", "bin", "wrangler.js");
const secrets = ["COOKIE_KEYS", "STAMP_KEY"] as const;
const optionalSecrets = ["ADMIN_TOKEN", "UNIT_KEY"] as const;
const placeholderNamespace = "0".repeat(32);

/** What the Worker would find wrong on its first request, found before it gets there. */
function faultsOf(): string[] {
  const config = readConfig({ config: wranglerConfig });
  const namespaces: { binding: string; id?: string }[] = config.kv_namespaces;
  const faults = namespaces
    .filter(({ id }) => id === placeholderNamespace)
    .map(
      ({ binding }) =>
        `wrangler.toml: ${binding} has no namespace yet; \`npx wrangler kv namespace create ${binding}\` gives its id`,
    );

  const listed = spawnSync(process.execPath, [wrangler, "secret", "list", "--config", wranglerConfig], {
    encoding: "utf8",
    cwd: root,
  });
  const isKnown = listed.status === 0;
  for (const name of isKnown ? secrets : []) {
    if (!listed.stdout.includes(`"${name}"`)) faults.push(`${name}: missing; \`npx wrangler secret put ${name}\``);
  }
  if (!isKnown)
    console.warn(
      "The Worker's secrets cannot be listed (a first deployment?); the first request says what is missing.",
    );

  // The secrets' values stay where they are; well-formed ones stand in for them.
  const stand = "A".repeat(43);
  const vars = {
    COOKIE_KEYS: `k1:${stand}`,
    STAMP_KEY: stand,
    ...config.vars,
    SNAPSHOTS: {},
    EVENTS: {},
    CONTROL: {},
    COHORTS: {},
    LOGBOOK: {},
    LEDGER: {},
  };
  for (const name of [...secrets, ...optionalSecrets]) {
    if (Object.hasOwn(config.vars, name))
      faults.push(`${name}: a secret; take it out of wrangler.toml and use \`npx wrangler secret put ${name}\``);
  }
  return [...faults, ...readSettings(vars as unknown as Env).faults];
}

const faults = faultsOf();
if (faults.length > 0) {
  console.error(["Not deployed. The settings are wrong:", ...faults].join("\n  "));
  process.exitCode = 1;
} else if (!(await check())) {
  console.error("\nNot deployed: the check failed.");
  process.exitCode = 1;
} else {
  const args = [wrangler, "deploy", "--minify", "--config", wranglerConfig, ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status ?? 1;
}
