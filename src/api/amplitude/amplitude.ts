/** What Amplitude's clients ask, answered as Amplitude does. */
import type { Serving, Speaker } from "../serving/front.ts";

export function createAmplitude(_: Serving): Speaker {
  return async (_request, _url, path) => {
    // Clients go over to polling then.
    if (path === "/sdk/stream/v1/flags") return new Response(null, { status: 501 });
    return new Response(null, { status: 404 });
  };
}
