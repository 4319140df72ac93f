/** Puts words on the fields of schemas: JSON Schema knows what they are, not what they mean. */
import type { JsonSchema } from "./json-schema.ts";
import { fieldWords } from "./words/fields.ts";

/** The engine's own format, which is described as a whole. */
const bare = {
  Snapshot: "Flags as the engine evaluates them, and of every experiment what stamping and forcing it needs.",
};

type Schemas = Readonly<Record<string, JsonSchema>>;

/** @throws when a field has no words */
export function described(...schemas: Schemas[]): Record<string, JsonSchema> {
  const lacking = new Set<string>();

  /** @param owner the component, or the field within it, that `node` says what it holds */
  function visit(node: unknown, owner: string): unknown {
    if (Array.isArray(node)) return node.map((one) => visit(one, owner));
    if (typeof node !== "object" || node === null) return node;
    return Object.fromEntries(
      Object.entries(node).map(([keyword, value]) => [
        keyword,
        keyword === "properties" ? withWords(value as Schemas, owner) : visit(value, owner),
      ]),
    );
  }

  function withWords(properties: Schemas, owner: string): Schemas {
    return Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => {
        const words = fieldWords[`${owner}.${name}`] ?? fieldWords[name];
        if (words === undefined) lacking.add(`${owner}.${name}`);
        const { description, ...rest } = visit(schema, name) as JsonSchema;
        return [name, { description: [words, description].filter(Boolean).join(" "), ...rest }];
      }),
    );
  }

  const result = Object.entries(Object.assign({}, ...schemas) as Schemas).map(
    ([name, schema]) =>
      [
        name,
        Object.hasOwn(bare, name)
          ? { description: bare[name as keyof typeof bare], ...schema }
          : (visit(schema, name) as JsonSchema),
      ] as const,
  );
  if (lacking.size > 0) throw new Error(`scripts/openapi/words/fields.ts lacks ${[...lacking].join(", ")}`);
  return Object.fromEntries(result);
}
