/** Files of the pages, served through the Worker: who is not signed in gets the stylesheet of the sign-in page alone. */
import { assetsPath } from "./address.ts";

/** What answers for files under `src/assets`. */
export interface Assets {
  fetch(request: Request): Promise<Response>;
}

const open: ReadonlySet<string> = new Set(["style.css"]);

/** @returns null where there is no such file for this visitor */
export async function serveAsset(
  request: Request,
  url: URL,
  assets: Assets | undefined,
  isSignedIn: boolean,
): Promise<Response | null> {
  const name = url.pathname.slice(assetsPath.length);
  if (assets === undefined || !/^[a-z-]+\.(css|js|svg)$/.test(name)) return null;
  if (!isSignedIn && !open.has(name)) return null;
  const condition = request.headers.get("if-none-match");
  const answer = await assets.fetch(
    new Request(new URL(`/dashboard/${name}`, url), {
      method: request.method,
      headers: condition === null ? [] : [["if-none-match", condition]],
    }),
  );
  if (answer.status !== 200 && answer.status !== 304) {
    await answer.body?.cancel();
    return null;
  }
  const response = new Response(answer.body, answer);
  response.headers.set("cache-control", "private, no-cache");
  return response;
}
