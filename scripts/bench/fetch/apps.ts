/** Apps that ask: each user as Amplitude's clients send one. */
import { randomUUID } from "node:crypto";
import { key } from "./tenant.ts";

const pick = <T>(values: readonly T[], at: number): T => values[at % values.length] as T;

function headOf(user: object, headers: readonly string[]): string {
  return [
    "Host: flags.example.com",
    "Connection: keep-alive",
    `Authorization: Api-Key ${key}`,
    `X-Amp-Exp-User: ${Buffer.from(JSON.stringify(user)).toString("base64url")}`,
    "User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Accept: */*",
    "CF-IPCountry: DE",
    ...headers,
    "",
    "",
  ].join("\r\n");
}

/** What stands after the request line, of so many users. */
export function createApps(count: number, headers: readonly string[] = []): string[] {
  return Array.from({ length: count }, (_, at) =>
    headOf(
      {
        library: "experiment-js-client/1.23.1",
        language: "en-US",
        platform: "Web",
        os: "Chrome 141",
        device_category: pick(["desktop", "mobile"], at),
        user_id: `user-${at}@example.com`,
        device_id: randomUUID(),
        country: pick(["US", "DE", "FR", "GB"], at),
        version: "2.3.0",
        user_properties: { plan: pick(["free", "pro", "team"], at), age: 18 + (at % 60) },
      },
      headers,
    ),
  );
}

/** One after the other, over and over. */
export function requestsOf(path: string, heads: readonly string[]): () => string {
  let next = 0;
  return () => `GET ${path} HTTP/1.1\r\n${heads[next++ % heads.length]}`;
}
