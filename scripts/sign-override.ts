/** Prints the query that forces a variation where the tenant's policy is `signed`, good for an hour. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { createKeyring } from "../src/assignment/keyring.ts";
import { signOverride } from "../src/assignment/override.ts";
import { readSettings } from "../src/settings.ts";
import { root } from "./paths.ts";

const usage = `Usage: npm run sign-override -- --experiment <id> (--variation <id> | --segment <id>) [options]

  --tenant <name>      whose gate it is for (default)
  --minutes <n>        how long it is good (60)
  --state-dir <dir>    where npm start keeps its keys (.state); COOKIE_KEYS, where set, comes first`;

const { values } = parseArgs({
  options: {
    experiment: { type: "string" },
    variation: { type: "string" },
    segment: { type: "string" },
    tenant: { type: "string", default: "default" },
    minutes: { type: "string", default: "60" },
    "state-dir": { type: "string", default: process.env.STATE_DIR ?? ".state" },
  },
});

async function readCookieKeys(): Promise<string> {
  if (process.env.COOKIE_KEYS) return process.env.COOKIE_KEYS;
  return JSON.parse(await readFile(join(resolve(root, values["state-dir"]), "secrets.json"), "utf8")).COOKIE_KEYS;
}

const minutes = Number(values.minutes);
if (!values.experiment || !(values.variation || values.segment) || !(minutes > 0)) {
  console.error(usage);
  process.exitCode = 2;
} else {
  const { cookieKeys, errors } = readSettings({ COOKIE_KEYS: await readCookieKeys() });
  const wrong = errors.filter((error) => error.startsWith("COOKIE_KEYS"));
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  const keyring = createKeyring(cookieKeys, (call) => call());
  const override = {
    experimentId: values.experiment,
    variationId: values.variation ?? null,
    segmentId: values.segment ?? null,
  };
  const token = await signOverride(keyring, values.tenant, override, Math.floor(Date.now() / 1000 + minutes * 60));
  const query = new URLSearchParams({ experiment_id: values.experiment });
  if (values.variation) query.set("variation_id", values.variation);
  if (values.segment) query.set("segment_id", values.segment);
  query.set("override_token", token);
  console.log(query.toString());
}
