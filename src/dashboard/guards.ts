/** What every answer says to a browser, so that nobody else gets hold of it. */

/** What the pages load and where they send forms is ours alone; nothing may frame them; nothing inline runs. */
const policy = [
  "default-src 'none'",
  ...["script-src", "style-src", "img-src", "connect-src", "form-action"].map((name) => `${name} 'self'`),
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");
const headers = {
  "content-security-policy": policy,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  // Not `no-referrer`: forms would then come from the origin "null".
  "referrer-policy": "same-origin",
  "cache-control": "no-store",
};

/** Only assets say themselves how long they may be kept. */
export function guard(response: Response): Response {
  for (const [name, value] of Object.entries(headers)) {
    if (name !== "cache-control" || !response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}
