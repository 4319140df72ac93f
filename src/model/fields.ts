/** Fields that several resources share, as the Experiment Center API constrains them. */
import * as v from "valibot";

/** Characters are counted as JSON Schema counts them: code points. Of a text that is too short no more is told. */
const text = (minLength: number, maxLength: number) =>
  v.config(
    v.pipe(
      v.string("must be text"),
      v.minCodePoints(minLength, `must have at least ${minLength} characters`),
      v.maxCodePoints(maxLength, `must have at most ${maxLength} characters`),
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the Experiment Center's pattern, to the letter
      v.regex(/^(?!.*\x00)\S(.*\S)?$/, "must be one line without a NUL that neither begins nor ends with a space"),
    ),
    { abortPipeEarly: true },
  );

export const nameSchema = text(3, 255);
export const descriptionSchema = text(3, 1024);
const timestampForm = "must be a time such as 2025-01-31T12:00:00Z";
export const timestampSchema = v.pipe(
  v.string("must be text"),
  v.isoTimestamp(timestampForm),
  v.check(isOnCalendar, `${timestampForm}, on a day that there is`),
);

/** JavaScript takes the 30th of February for one in March. What is no date at all is not told twice. */
function isOnCalendar(timestamp: string): boolean {
  const date = timestamp.slice(0, 10);
  const midnight = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(midnight) || new Date(midnight).toISOString().startsWith(date);
}

/** Property names that valibot's `record` drops without a word, as they may reach an object's prototype. */
const prototypeKeys = ["__proto__", "constructor", "prototype"];
const notPrototype = `must not be ${prototypeKeys.join(", ")}`;

export const maxKeyLength = 255;

/** What code and SDKs call a flag or a variation by. */
export const keySchema = v.pipe(
  v.string("must be text"),
  v.maxLength(maxKeyLength, `must have at most ${maxKeyLength} characters`),
  v.regex(
    /^[a-z0-9][a-z0-9_-]*$/,
    "must be lower-case letters, digits, _ and -, beginning with a letter or digit, such as login_page",
  ),
  v.check((input) => !prototypeKeys.includes(input), notPrototype),
);

/** What valibot's objects let by: a list is an object without the fields that need not be there. */
export const objectSchema = v.pipe(
  v.unknown(),
  v.check((input) => !Array.isArray(input), "must be an object, not a list"),
);

/** An object whose names are `key`s, such as parameters; any text unless said. */
export const recordOf = <Value extends v.GenericSchema>(value: Value, key: v.GenericSchema<string> = v.string()) =>
  v.pipe(
    objectSchema,
    v.check((input) => !prototypeKeys.some((name) => Object.hasOwn(Object(input), name)), `a name ${notPrototype}`),
    v.record(key, value, "must be an object"),
  );

/**
 * The key a name gives: lower case, accents dropped, whatever is left between words one underscore.
 * Empty when the name has no Latin letter or digit.
 */
export function slug(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_|_$/g, "")
    .slice(0, maxKeyLength);
}

/** A whole percentage. */
export const percentSchema = v.pipe(
  v.number("must be a number"),
  v.integer("must be a whole number"),
  v.minValue(0, "must be at least 0"),
  v.maxValue(100, "must be at most 100"),
);

/** Words for an object's fields that are known but must not be sent; other faults keep theirs. */
export const refusing =
  (reasons: Readonly<Record<string, string>>) =>
  ({ expected, input, message }: v.StrictObjectIssue): string =>
    expected === "never" && typeof input === "string" && Object.hasOwn(reasons, input)
      ? (reasons[input] ?? message)
      : message;

/** The body of a PATCH: any of `fields`, but at least one. */
export const patchOf = <const Fields extends Record<string, v.GenericSchema>>(
  fields: Fields,
  refused: Readonly<Record<string, string>> = {},
) =>
  v.pipe(
    v.strictObject(
      Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, v.exactOptional(schema)])) as {
        [Name in keyof Fields]: v.ExactOptionalSchema<Fields[Name], undefined>;
      },
      refusing(refused),
    ),
    v.minEntries(1, `must hold at least one of ${Object.keys(fields).join(", ")}`),
  );
