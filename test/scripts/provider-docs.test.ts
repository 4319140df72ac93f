/** Every provider has a page with the same headings, and links in these pages lead somewhere. */
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { providerName } from "../../src/model/provider.ts";

const folder = join(import.meta.dirname, "../../docs/providers");
const headings = [
  "What to set",
  "Which pages belong to which flow",
  "How the page changes",
  "How outcomes are seen",
  "Check that it works",
  "Remove it",
];

const headingsOf = (text: string) => [...text.matchAll(/^##+ (.+)$/gm)].map(([, heading]) => heading ?? "");
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w -]/g, "")
    .replaceAll(" ", "-");

it("each provider has a page, and each page a provider", async () => {
  const pages = (await readdir(folder)).filter((name) => name !== "README.md").sort();
  expect(pages).toEqual(providerName.options.map((name) => `${name}.md`).sort());
});

describe.each([...providerName.options.map((name) => `${name}.md`), "README.md"])("%s", (name) => {
  it("has the headings of the others", async () => {
    const found = headingsOf(await readFile(join(folder, name), "utf8"));
    if (name !== "README.md") expect(found).toEqual(headings);
  });

  it("links to files and headings that exist", async () => {
    const text = await readFile(join(folder, name), "utf8");
    for (const [, link = ""] of text.matchAll(/\]\((?!https:)([^)]+)\)/g)) {
      const [file, anchor] = link.split("#");
      const target = await readFile(join(dirname(join(folder, name)), file || name), "utf8");
      if (anchor) expect(headingsOf(target).map(anchorOf)).toContain(anchor);
    }
  });

  it("names the tenant's settings in JSON that can be parsed", async () => {
    const text = await readFile(join(folder, name), "utf8");
    for (const [, json = ""] of text.matchAll(/^```json\n(\{[\s\S]*?)^```/gm))
      expect(() => JSON.parse(json)).not.toThrow();
  });
});
