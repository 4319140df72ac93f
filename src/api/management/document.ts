/** The API's OpenAPI document: an asset, so that its prose is no part of the Worker. */
import { Problem } from "../../model/problem.ts";

export const documentPath = "/openapi.json";

/** What answers for files under `src/assets`. */
export interface Assets {
  fetch(request: Request): Promise<Response>;
}

/** To whoever asks on an admin host: what the API can do is no secret. @throws {Problem} where assets are not bound */
export async function serveDocument(request: Request, assets: Assets | undefined): Promise<Response> {
  if (assets === undefined) throw new Problem("address_not_found");
  const { method, headers } = request;
  return assets.fetch(new Request(new URL(documentPath, request.url), { method, headers: conditionsOf(headers) }));
}

/** Nothing else of the request concerns a file, its credentials least of all. */
function conditionsOf(headers: Headers): [string, string][] {
  const condition = headers.get("if-none-match");
  return condition === null ? [] : [["if-none-match", condition]];
}
