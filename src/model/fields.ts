/** Fields that several resources share, as the Experiment Center API constrains them. */
import * as v from "valibot";

const NUL = "\0";

const text = (minLength: number, maxLength: number) =>
  v.pipe(
    v.string("must be text"),
    v.minLength(minLength, `must have at least ${minLength} characters`),
    v.maxLength(maxLength, `must have at most ${maxLength} characters`),
    v.regex(/^\S(.*\S)?$/, "must be one line that neither begins nor ends with a space"),
    v.check((input) => !input.includes(NUL), "must not hold a NUL"),
  );

export const nameSchema = text(3, 255);
export const descriptionSchema = text(3, 1024);
export const timestampSchema = v.pipe(
  v.string("must be text"),
  v.isoTimestamp("must be a time such as 2025-01-31T12:00:00Z"),
);

/** Property names that valibot's `record` drops without a word, as they may reach an object's prototype. */
const prototypeKeys = ["__proto__", "constructor", "prototype"];
const notPrototype = `must not be ${prototypeKeys.join(", ")}`;

/** What code and SDKs call a flag or a variation by. */
export const keySchema = v.pipe(
  v.string("must be text"),
  v.maxLength(255, "must have at most 255 characters"),
  v.regex(
    /^[a-z0-9][a-z0-9_-]*$/,
    "must be lower-case letters, digits, _ and -, beginning with a letter or digit, such as login_page",
  ),
  v.check((input) => !prototypeKeys.includes(input), notPrototype),
);

/** An object of any names, such as parameters. */
export const recordOf = <Value extends v.GenericSchema>(value: Value) =>
  v.pipe(
    v.unknown(),
    v.check((input) => !prototypeKeys.some((key) => Object.hasOwn(Object(input), key)), `a name ${notPrototype}`),
    v.record(v.string(), value, "must be an object"),
  );

/**
 * The key a name gives: lower case, accents dropped, whatever is left between words one underscore.
 * Empty when the name has no Latin letter or digit; then the key has to be given.
 */
export function slug(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_|_$/g, "");
}

/** A value of JSON of at most 1 KB, the most a parameter or an override may hold. */
export const jsonValueSchema = v.pipe(
  v.unknown(),
  v.check(isJson, "must be a JSON value"),
  v.check((input) => new TextEncoder().encode(JSON.stringify(input)).length <= 1024, "must not exceed 1 KB as JSON"),
);

function isJson(value: unknown): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return typeof value === "object" && Object.values(value).every(isJson);
}

/** A whole percentage. */
export const percentSchema = v.pipe(
  v.number("must be a number"),
  v.integer("must be a whole number"),
  v.minValue(0, "must be at least 0"),
  v.maxValue(100, "must be at most 100"),
);

/** The body of a PATCH: any of `fields`, but at least one. */
export const patchOf = <const Fields extends Record<string, v.GenericSchema>>(fields: Fields) =>
  v.pipe(
    v.strictObject(
      Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, v.exactOptional(schema)])) as {
        [Name in keyof Fields]: v.ExactOptionalSchema<Fields[Name], undefined>;
      },
    ),
    v.minEntries(1, `must hold at least one of ${Object.keys(fields).join(", ")}`),
  );
