import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, it } from "vitest";
import { root } from "../../scripts/paths.ts";

const document = JSON.parse(readFileSync(join(root, "src", "assets", "openapi.json"), "utf8"));

it("is committed as the schemas and words give it", () => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, "scripts", "openapi.ts"), "--check"], {
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, ""]);
});

it("is an OpenAPI 3.1 document whose references lead somewhere", async () => {
  const validator = new Validator();
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = ""]) => path);
  expect(references.length).toBeGreaterThan(0);
  for (const path of references) {
    expect(
      path.split("/").reduce((node, key) => node?.[key], document),
      path,
    ).toBeDefined();
  }
});

it("names each operation once, and says something of each", () => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path as object));
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const silent = operations.filter(({ summary, description, tags }) => !summary || !description || tags.length !== 1);
  expect(silent).toEqual([]);
  const parameters = operations.flatMap((operation) => operation.parameters);
  expect(parameters.filter(({ $ref, description }) => !$ref && !description)).toEqual([]);
});

it("has the Experiment Center's pattern for names and descriptions, to the letter", () => {
  const pattern = String.raw`^(?!.*\x00)\S(.*\S)?$`;
  const { Name, Description } = document.components.schemas;
  expect(Name).toMatchObject({ type: "string", minLength: 3, maxLength: 255, pattern });
  expect(Description).toMatchObject({ type: "string", minLength: 3, maxLength: 1024, pattern });
});
