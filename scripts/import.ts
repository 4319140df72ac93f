/** `npm run import`: makes a tenant what a file says, through the management API. */
import { parseArgs } from "node:util";
import { readConfigurationFile } from "./configuration-file.ts";
import {
  connect,
  connectionOptions,
  connectionUsage,
  type ImportAnswer,
  type ImportChange,
  runCommand,
} from "./management.ts";

const usage = `Usage: npm run import -- <file.json|file.yaml> [options]

  --dry-run            show what would change, change nothing
  --prune              delete what the file does not name
  --format amplitude   the file is Amplitude's list of flags, as GET /sdk/v2/flags gives it to a server deployment
${connectionUsage}`;

const signs = { create: "+", update: "~", delete: "-" } as const;

function lineOf({ action, resource_type, id, name, fields }: ImportChange): string {
  const what = resource_type.replace("_", " ").padEnd("feature flag".length);
  return `  ${signs[action]} ${what}  ${name} (${id})${fields.length > 0 ? `: ${fields.join(", ")}` : ""}`;
}

function summaryOf({ dry_run, changes }: ImportAnswer): string {
  if (changes.length === 0) return "Nothing to change.";
  const count = (wanted: ImportChange["action"]) => changes.filter(({ action }) => action === wanted).length;
  const [created, updated, deleted] = [count("create"), count("update"), count("delete")];
  return dry_run
    ? `Would create ${created}, update ${updated} and delete ${deleted}. Nothing was changed.`
    : `Created ${created}, updated ${updated}, deleted ${deleted}.`;
}

await runCommand(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...connectionOptions,
      "dry-run": { type: "boolean", default: false },
      prune: { type: "boolean", default: false },
      format: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const [file, ...others] = positionals;
  if (values.help || file === undefined || others.length > 0) {
    console.error(usage);
    return values.help ? 0 : 2;
  }
  const document = await readConfigurationFile(file);
  const management = await connect(values);
  const { prune, format } = values;
  const options = { prune, ...(format === undefined ? {} : { format }) };

  // Asked first either way: its answer lists faults one by one.
  const plan = await management.import(document, { ...options, dryRun: true });
  const tell = (lines: readonly { path: string; message: string }[]) => {
    for (const { path, message } of lines) console.error(`${file}: ${path === "" ? "" : `${path}: `}${message}`);
  };
  tell(plan.warnings);
  if (plan.problems.length > 0) {
    tell(plan.problems);
    console.error("Nothing was changed.");
    return 1;
  }
  const answer = values["dry-run"] ? plan : await management.import(document, options);
  for (const change of answer.changes) console.log(lineOf(change));
  console.log(summaryOf(answer));
  for (const { name, type, key } of answer.deployments) console.log(`The key of ${type} deployment ${name}: ${key}`);
  return 0;
});
