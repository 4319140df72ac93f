/** JSON from apps: within bounds, or nothing. */
import { skim } from "../management/json.ts";
import { readBytes } from "../read-bytes.ts";

/** Of a body, also of one that comes compressed. */
export const mostBodyBytes = 1_048_576;

/** Undefined for what is none, and for what is nested deeper than anybody means. */
export function parseJson(text: string): unknown {
  if (skim(text).isTooDeep) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `no_json`: also a body that breaks off, is no UTF-8, or comes in an encoding other than gzip. */
export async function readJson(request: Request): Promise<{ json: unknown } | "too_large" | "no_json"> {
  const bytes = await readBytes(plain(request), mostBodyBytes);
  if (bytes === "too_large") return bytes;
  if (bytes === "broken") return "no_json";
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return "no_json";
  }
  const json = parseJson(text);
  return json === undefined ? "no_json" : { json };
}

/** Some clients compress what they send. Of another encoding nothing will be JSON. */
function plain({ headers, body }: Request): Pick<Request, "body" | "headers"> {
  if (headers.get("content-encoding")?.trim().toLowerCase() !== "gzip" || body === null) return { headers, body };
  return { headers: new Headers(), body: body.pipeThrough(new DecompressionStream("gzip")) };
}
