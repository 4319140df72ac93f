/** What an app sends, within bounds and checked, or what is wrong with it. */
import * as v from "valibot";
import type { Address } from "../../assignment/address.ts";
import { recordOf } from "../../model/fields.ts";
import { longestId } from "../../model/user.ts";
import { describe } from "../management/issues.ts";
import { findUnplain } from "../management/json.ts";
import { knownFields } from "../management/known-fields.ts";
import type { Shape } from "../management/shape.ts";
import { mostBodyBytes, readJson } from "../serving/json.ts";
import { overrideParameters } from "../serving/override.ts";
import type { Refused } from "./refuse.ts";

const mostFlagKeys = 500;

/** Also null: an absent value, to encoders that write what is not there. */
const maybe = <Schema extends v.GenericSchema>(schema: Schema) => v.nullish(schema);

export const idSchema = v.pipe(
  v.string("must be text"),
  v.minLength(1, "must not be empty"),
  v.maxLength(longestId, `must have at most ${longestId} characters`),
);

const attributesSchema = recordOf(v.unknown());

const askedSchema = v.strictObject({
  device_id: maybe(idSchema),
  user_id: maybe(idSchema),
  attributes: maybe(attributesSchema),
  flag_keys: maybe(
    v.pipe(
      v.array(v.string("must be a feature flag's key"), "must be a list of feature flags' keys"),
      v.maxLength(mostFlagKeys, `must name at most ${mostFlagKeys} feature flags`),
    ),
  ),
  sticky: maybe(recordOf(v.string("must be a variation's key"))),
});

const identifiedSchema = v.strictObject({
  device_id: idSchema,
  user_id: idSchema,
  attributes: maybe(attributesSchema),
});

/** Who assignments are asked for, and of which flags. */
export interface Asked {
  deviceId: string | null;
  userId: string | null;
  attributes: Readonly<Record<string, unknown>>;
  /** Null: of all that the key may fetch. */
  flagKeys: readonly string[] | null;
  /** By flag, the variation that the app was given before. */
  sticky: Readonly<Record<string, string>>;
}

export async function readAsked(request: Request, url: Address): Promise<Asked | Refused> {
  const read = request.method === "POST" ? await readBody(askedSchema, request) : readQuery(url);
  if ("code" in read) return read;
  const { device_id = null, user_id = null, attributes, flag_keys = null, sticky } = read.value;
  if (device_id === null && user_id === null) return { code: "subject_required" };
  return {
    deviceId: device_id,
    userId: user_id,
    attributes: attributes ?? {},
    flagKeys: flag_keys,
    sticky: sticky ?? {},
  };
}

/** A device, and whose it is. */
export async function readIdentified(
  request: Request,
): Promise<{ deviceId: string; userId: string; attributes: Readonly<Record<string, unknown>> } | Refused> {
  const read = await readBody(identifiedSchema, request);
  if ("code" in read) return read;
  const { device_id, user_id, attributes } = read.value;
  return { deviceId: device_id, userId: user_id, attributes: attributes ?? {} };
}

export async function readBody<Schema extends v.GenericSchema>(
  schema: Schema,
  request: Request,
): Promise<{ value: v.InferOutput<Schema> } | Refused> {
  const [type = ""] = (request.headers.get("content-type") ?? "").split(";");
  if (!/^(application\/([\w.-]+\+)?json)?$/i.test(type.trim())) return { code: "unsupported_media_type" };
  const read = await readJson(request);
  if (read === "too_large") return { code: "body_too_large", detail: `It may hold ${mostBodyBytes} bytes at most.` };
  if (read === "no_json") return { code: "invalid_body", detail: "The body must be JSON, at most 32 levels deep." };
  return check(schema, read.json, "invalid_body", "The body");
}

export function check<Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
  code: "invalid_body" | "invalid_query_string",
  whole: string,
): { value: v.InferOutput<Schema> } | Refused {
  const unplain = findUnplain(input);
  if (unplain) return { code, detail: `${unplain.field || whole}: ${unplain.message}.` };
  if (Array.isArray(input)) return { code, detail: `${whole} must be an object, not a list.` };
  const parsed = v.safeParse(schema, input, { abortPipeEarly: true });
  if (parsed.success) return { value: parsed.output };
  const known = (path: readonly unknown[]) => knownFields(schema as unknown as Shape, path);
  return { code, detail: describe(parsed.issues, whole, known) };
}

/** Parameters that stand once. */
const ids: ReadonlySet<string> = new Set(["device_id", "user_id"]);

/**
 * `flag_keys` is a list parted by commas, `sticky.<flag>` a variation; every other name is an attribute, as it is or behind
 * `attributes.`, which lets one have the name of something else. One that stands several times is a list.
 */
function readQuery({ searchParams }: Address): { value: v.InferOutput<typeof askedSchema> } | Refused {
  const asked: Record<string, unknown> = {};
  const attributes = new Map<string, string[]>();
  const sticky = new Map<string, string>();
  let flagKeys: string[] | undefined;
  const wrong = (name: string, reason: string): Refused => ({
    code: "invalid_query_string",
    detail: `${name}: ${reason}.`,
  });
  for (const [name, value] of searchParams) {
    if (overrideParameters.has(name)) continue;
    if (ids.has(name)) {
      if (Object.hasOwn(asked, name)) return wrong(name, "must stand once");
      asked[name] = value;
    } else if (name === "flag_keys") {
      flagKeys ??= [];
      for (const key of value.split(",")) if (key.trim() !== "") flagKeys.push(key.trim());
    } else if (name === "attributes" || name === "sticky") {
      return wrong(name, `must be written ${name}.<name>=<value>, one by one; an object is for the body of a POST`);
    } else if (name.startsWith("sticky.")) {
      sticky.set(name.slice("sticky.".length), value);
    } else {
      const attribute = name.startsWith("attributes.") ? name.slice("attributes.".length) : name;
      const values = attributes.get(attribute);
      if (values === undefined) attributes.set(attribute, [value]);
      else values.push(value);
    }
  }
  asked.flag_keys = flagKeys;
  asked.attributes = Object.fromEntries([...attributes].map(([name, all]) => [name, all.length === 1 ? all[0] : all]));
  asked.sticky = Object.fromEntries(sticky);
  return check(askedSchema, asked, "invalid_query_string", "The query");
}
