/** Configurations as files, JSON or YAML by their names. The API knows JSON alone: YAML would weigh on the Worker. */
import { readFile } from "node:fs/promises";
import { extname } from "node:path";

const isYaml = (path: string) => [".yaml", ".yml"].includes(extname(path).toLowerCase());

/** @throws naming the file, and where in it, when it is neither */
export async function readConfigurationFile(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8");
  try {
    return isYaml(path) ? (await import("yaml")).parse(text) : JSON.parse(text);
  } catch (error) {
    const format = isYaml(path) ? "YAML" : "JSON";
    throw new Error(`${path} is no ${format}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/** @param path whose name says the format */
export async function formatConfiguration(document: unknown, path: string): Promise<string> {
  if (isYaml(path)) return (await import("yaml")).stringify(document, { lineWidth: 120 });
  return `${JSON.stringify(document, null, 2)}\n`;
}
