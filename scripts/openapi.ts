/** `npm run openapi`: writes the API's document, as it is committed and served; with `--check`, says whether it is so. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createDocument } from "./openapi/document.ts";

const file = join(import.meta.dirname, "..", "src", "assets", "openapi.json");
const text = `${JSON.stringify(createDocument(), null, 2)}\n`;

if (!process.argv.includes("--check")) {
  await writeFile(file, text);
  console.log(`Written: ${file}`);
} else if ((await readFile(file, "utf8")) !== text) {
  console.error("src/assets/openapi.json is not what the schemas and words give: npm run openapi");
  process.exitCode = 1;
}
