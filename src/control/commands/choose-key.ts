/** Keys of new resources: given, or taken from the name. */
import * as v from "valibot";
import { type FallbackKey, freeKey, keyFromName } from "../../model/free-key.ts";
import { type ManagementCode, Problem } from "../../model/problem.ts";

/**
 * The key for a new resource. One that was given has been checked with the body and must be free; one from the name
 * steps aside: `key_2`, `key_3`. A name in letters that no key has gives the `kind` instead.
 * @throws {Problem}
 */
export function chooseKey(options: {
  given: string | undefined;
  name: string;
  kind: FallbackKey;
  schema: v.GenericSchema<string>;
  taken: ReadonlySet<string>;
  whenTaken: ManagementCode;
}): string {
  const { given, name, kind, schema, taken, whenTaken } = options;
  if (given !== undefined) {
    if (taken.has(given)) throw new Problem(whenTaken, `key: ${given} is taken; choose another.`);
    return given;
  }
  const base = keyFromName(name) ?? kind;
  const parsed = v.safeParse(schema, base);
  if (!parsed.success) {
    const [{ message }] = parsed.issues;
    throw new Problem(
      "invalid_body",
      `key: the name gives the key "${base}", which ${message}. Send a key of your own.`,
    );
  }
  return freeKey(base, taken);
}
