/** Query strings and bodies, checked against their schemas. */
import * as v from "valibot";
import { Problem } from "../../model/problem.ts";
import { readBytes } from "../read-bytes.ts";
import { decodePairs, parseForm } from "./form.ts";
import { describe, pathText } from "./issues.ts";
import { skim } from "./json.ts";
import { knownFields } from "./known-fields.ts";
import { findMisplacedList } from "./misplaced-list.ts";
import type { Operation } from "./operation.ts";
import { expectPlain, parseJson, refuse } from "./parse-json.ts";
import type { Shape } from "./shape.ts";

const noQuery = v.strictObject({});
const mostBytes = 1_048_576;
/** Above this only the first fault is told: hundreds of thousands of them would take long to find. */
const mostBytesInDetail = 16_384;
/** A byte order mark is no part of the text. */
const strict = { fatal: true, ignoreBOM: false };

/** @param search with its question mark, if any. @throws {Problem} 400 */
export function readQuery(schema: v.GenericSchema | undefined, search: string): unknown {
  const pairs = decoded("invalid_query_string", () => decodePairs(search.slice(1)));
  const names = new Set<string>();
  for (const [name] of pairs) {
    if (names.has(name)) throw new Problem("invalid_query_string", `${name.slice(0, 64)}: must stand once.`);
    names.add(name);
  }
  const known = schema ?? noQuery;
  const parsed = v.safeParse(known, Object.fromEntries(pairs));
  if (!parsed.success) throw new Problem("invalid_query_string", describe(parsed.issues, "It", knownIn(known)));
  return parsed.output;
}

/** @throws {Problem} 400, 413 or 415 */
export async function readBody({ body: schema, maxBodyBytes }: Operation, request: Request): Promise<unknown> {
  if (schema === undefined) return undefined;
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity") {
    throw new Problem("unsupported_media_type", "Send it without Content-Encoding.");
  }
  const parse = parserOf(request.headers.get("content-type"));
  const bytes = await expectBytes(request, maxBodyBytes ?? mostBytes);
  if (bytes.length === 0 && parse !== parseForm) throw refuse("", "is empty; send the fields that it must hold");
  if (parse === null) throw new Problem("unsupported_media_type");
  const body = decoded("invalid_body", () => parse(decodeText(bytes), schema));
  const isLarge = bytes.length > mostBytesInDetail;
  const parsed = v.safeParse(schema, body, { abortEarly: isLarge });
  const list = parsed.success || !isLarge ? findMisplacedList(schema as unknown as Shape, body) : undefined;
  if (list !== undefined) throw refuse(pathText(list), "must be an object, not a list");
  if (!parsed.success) throw new Problem("invalid_body", describe(parsed.issues, "The body", knownIn(schema)));
  return parsed.output;
}

const knownIn = (schema: v.GenericSchema) => (path: readonly unknown[]) =>
  knownFields(schema as unknown as Shape, path);

/** @returns null where no type is given, which only an empty body may do */
function parserOf(contentType: string | null): typeof parseForm | null {
  if (contentType === null) return null;
  const [type = ""] = contentType.split(";");
  switch (type.trim().toLowerCase()) {
    case "application/json":
      return parsePlainJson;
    case "application/x-www-form-urlencoded":
      return parseForm;
    default:
      throw new Problem("unsupported_media_type");
  }
}

function parsePlainJson(text: string): unknown {
  const body = parseJson(text);
  // Looking for the names, or an escape that may hide one, is far cheaper than looking at every value.
  if (/\\u|__proto__|constructor|prototype/.test(text)) expectPlain(body);
  return body;
}

/** @throws {Problem} 400 or 413 */
async function expectBytes(request: Request, most: number): Promise<Uint8Array> {
  const bytes = await readBytes(request, most);
  if (bytes === "too_large") throw new Problem("body_too_large", `It may hold ${most} bytes at most.`);
  if (bytes === "broken") throw refuse("", "ended before its time");
  return bytes;
}

/** @throws {Problem} 400 naming the member with the first byte that is not UTF-8 */
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", strict).decode(bytes);
  } catch {
    const sound = soundPart(bytes);
    const { member } = skim(new TextDecoder().decode(bytes.subarray(0, sound)));
    throw refuse(member, `must be UTF-8; byte ${sound} is not`);
  }
}

/** How many bytes come before the first that cannot be decoded, found by halves. */
function soundPart(bytes: Uint8Array): number {
  let sound = 0;
  let unsound = bytes.length;
  while (unsound - sound > 1) {
    const middle = (sound + unsound) >> 1;
    if (isUtf8(bytes.subarray(0, middle), { stream: true })) sound = middle;
    else unsound = middle;
  }
  // What has begun well may still be half a letter.
  while (!isUtf8(bytes.subarray(0, sound))) sound--;
  return sound;
}

function isUtf8(bytes: Uint8Array, options?: { stream: boolean }): boolean {
  try {
    new TextDecoder("utf-8", strict).decode(bytes, options);
    return true;
  } catch {
    return false;
  }
}

/** @throws {Problem} for what is no percent-encoded UTF-8 */
function decoded<T>(code: "invalid_body" | "invalid_query_string", read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof URIError ? new Problem(code, error.message) : error;
  }
}
