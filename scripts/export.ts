/** `npm run export`: a tenant's configuration as a file, as `npm run import` takes it. */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { formatConfiguration } from "./configuration-file.ts";
import { connect, connectionOptions, connectionUsage, runCommand } from "./management.ts";

const usage = `Usage: npm run export -- [options]

  --out <file>         .json or .yaml; the terminal unless given (npm -s run export leaves npm's own lines out)
${connectionUsage}`;

await runCommand(async () => {
  const { values } = parseArgs({
    options: { ...connectionOptions, out: { type: "string" }, help: { type: "boolean", short: "h", default: false } },
  });
  if (values.help) {
    console.error(usage);
    return 0;
  }
  const { out = "" } = values;
  const text = await formatConfiguration(await (await connect(values)).export(), out);
  if (out === "") process.stdout.write(text);
  else await writeFile(out, text);
  return 0;
});
