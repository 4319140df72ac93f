/**
 * `inject: "attributes"`: the variation on `<html>`, so that a page can switch by CSS alone.
 *
 * HTMLRewriter would do, but for a page it cannot parse (a `<script>` within a `<select>`, say) it answers nothing at all,
 * and it writes the tag anew. Here two attributes are put in, every other byte stays, and what is odd passes as it is.
 */
import { isReadable } from "./peek.ts";
import type { StampValues } from "./stamp.ts";

export function isHtml(response: Response): boolean {
  return /^text\/html\b/i.test(response.headers.get("content-type") ?? "");
}

/** In all others ASCII stands for itself, and no byte of a longer character looks like `<`. */
const notAscii = /charset\s*=\s*["']?(?:utf-?(?:7|16|32)|ucs-?[24]|unicode|iso-2022|hz-)/i;

function canRewrite(response: Response): boolean {
  const { headers } = response;
  if (!isReadable(response)) return false;
  if (notAscii.test(headers.get("content-type") ?? "")) return false;
  // RFC 9111 §5.2.2.6
  return !/\bno-transform\b/i.test(headers.get("cache-control") ?? "");
}

/** Comments, declarations, end tags, and text that is none of them. */
const prolog = /(?:[^<]+|<!--(?:-?>|[\s\S]*?--!?>)|<(?!!--)[!?/][^>]*>|<(?![a-z!?/]))*/iy;
const startTag = /<html(?=[\t\n\f\r />])/iy;
/** Beyond this no page begins. */
const longestProlog = 16_384;

/** Where in the page the attributes go; -1 when they do not, null when more must be read to tell. */
function insertionPoint(text: string, isAll: boolean): number | null {
  prolog.lastIndex = 0;
  prolog.test(text);
  startTag.lastIndex = prolog.lastIndex;
  if (startTag.test(text)) return startTag.lastIndex;
  const rest = text.slice(prolog.lastIndex, prolog.lastIndex + 6);
  const isOpen = rest === "" || "<html".startsWith(rest.toLowerCase()) || /^<[!?/]/.test(rest);
  return isOpen && !isAll && text.length < longestProlog ? null : -1;
}

const latin1 = new TextDecoder("latin1");
const encoder = new TextEncoder();

function concatenate(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.length === 0) return other;
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** Holds the page back until its first tag is there; from then on the platform passes it without us. */
async function pass(body: ReadableStream<Uint8Array>, writable: WritableStream, attributes: string): Promise<void> {
  const reader = body.getReader();
  const writer = writable.getWriter();
  try {
    let held: Uint8Array = new Uint8Array();
    let at: number | null = null;
    let isAll = false;
    while (at === null) {
      const { value, done } = await reader.read();
      if (value) held = concatenate(held, value);
      isAll = done;
      at = insertionPoint(latin1.decode(held.subarray(0, longestProlog)), isAll);
    }
    if (at > 0) {
      await writer.write(held.subarray(0, at));
      await writer.write(encoder.encode(attributes));
    }
    if (held.length > Math.max(at, 0)) await writer.write(held.subarray(Math.max(at, 0)));
    if (isAll) return await writer.close();
    reader.releaseLock();
    writer.releaseLock();
    await body.pipeTo(writable);
  } catch (error) {
    // One end is gone: the other must learn of it.
    await Promise.allSettled([reader.cancel(error), writer.abort(error)]);
  }
}

const quote = (value = "") => `"${value.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}"`;

/** They describe a body that is no longer this one. */
const ofTheBody = [
  ..."etag last-modified content-length accept-ranges".split(" "),
  ..."content-md5 digest content-digest repr-digest".split(" "),
];

export function injectAttributes(response: Response, values: StampValues): Response {
  const { body } = response;
  if (body === null || !isHtml(response) || !canRewrite(response)) return response;
  const { readable, writable } = new IdentityTransformStream();
  let changed: Response;
  try {
    changed = new Response(readable, response);
  } catch {
    // A status outside 200–599 cannot be put together anew, only passed on.
    return response;
  }
  for (const name of ofTheBody) changed.headers.delete(name);
  // First, so that a browser ignores any of these names that the page has itself.
  const { experiment_id, variation_id } = values;
  void pass(body, writable, ` data-experiment-id=${quote(experiment_id)} data-variation-id=${quote(variation_id)}`);
  return changed;
}
