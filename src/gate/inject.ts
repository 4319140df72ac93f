/** `inject: "attributes"`: the variation on `<html>`, so that a page can switch by CSS alone. */
import type { StampValues } from "./stamp.ts";

/** HTMLRewriter passes unchanged bytes through; these encodings keep ASCII where it is. */
const asciiCompatible = /^(?:utf-?8|us-ascii|iso-8859-\d+|windows-125\d|koi8-[ru])$/i;

export function isHtml(response: Response): boolean {
  return /^text\/html\b/i.test(response.headers.get("content-type") ?? "");
}

function canRewrite(response: Response): boolean {
  if (!isHtml(response) || response.body === null || response.status === 206) return false;
  const [, charset] = /charset="?([\w-]+)/i.exec(response.headers.get("content-type") ?? "") ?? [];
  return charset === undefined || asciiCompatible.test(charset);
}

export function injectAttributes(response: Response, values: StampValues): Response {
  if (!canRewrite(response)) return response;
  const rewritten = new HTMLRewriter()
    .on("html", {
      element(element) {
        element.setAttribute("data-experiment-id", values.experiment_id ?? "");
        element.setAttribute("data-variation-id", values.variation_id ?? "");
      },
    })
    .transform(response);
  const changed = new Response(rewritten.body, rewritten);
  // The body is no longer the one these speak of.
  for (const name of ["etag", "last-modified", "content-length", "content-md5", "digest", "accept-ranges"]) {
    changed.headers.delete(name);
  }
  return changed;
}
