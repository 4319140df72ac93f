/** JSON from apps: within bounds, or nothing. */
import { skim } from "../management/json.ts";
import { readBytes } from "../read-bytes.ts";

/** Of a body, also of one that comes compressed. */
export const mostBodyBytes = 1_048_576;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Undefined for what is none, and for what is nested deeper than anybody means. */
export function parseJson(text: string): unknown {
  if (skim(text).isTooDeep) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A body's JSON, and how many bytes it took. */
export interface ReadJson {
  json: unknown;
  size: number;
}

/**
 * `no_json`: also a body that breaks off, is no UTF-8, or comes in an encoding other than gzip.
 * @param parse for what is written otherwise; undefined is `no_json`
 */
export async function readJson(
  request: Request,
  parse: (text: string) => unknown = parseJson,
): Promise<ReadJson | "too_large" | "no_json"> {
  const bytes = await readBytes(plain(request), mostBodyBytes);
  if (bytes === "too_large") return bytes;
  if (bytes === "broken") return "no_json";
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return "no_json";
  }
  const json = parse(text);
  return json === undefined ? "no_json" : { json, size: bytes.length };
}

/** Some clients compress what they send. Of another encoding nothing will be JSON. */
function plain({ headers, body }: Request): Pick<Request, "body" | "headers"> {
  if (headers.get("content-encoding")?.trim().toLowerCase() !== "gzip" || body === null) return { headers, body };
  return { headers: new Headers(), body: body.pipeThrough(new DecompressionStream("gzip")) };
}
