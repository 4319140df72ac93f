/** Who asks: browsers in the middle of a log-in, with cookies they came by honestly, and browsers that come first. */
import { randomBytes, randomUUID } from "node:crypto";
import { type Client, createClient } from "../load/client.ts";

/** What stands after the request line, the blank line included. */
export type Head = string;

const platforms = [
  ["Windows NT 10.0; Win64; x64", '"Windows"'],
  ["Macintosh; Intel Mac OS X 10_15_7", '"macOS"'],
  ["X11; Linux x86_64", '"Linux"'],
  ["X11; CrOS x86_64 14541.0.0", '"Chrome OS"'],
] as const;
const hexadecimal = (bytes: number) => randomBytes(bytes).toString("hex");
const pick = <T>(values: readonly T[], at: number): T => values[at % values.length] as T;

/** Chrome's, as Cloudflare hands it to a Worker. */
function headOf(at: number, fetched: readonly string[], cookie: string): Head {
  const [system, platform] = pick(platforms, at);
  const version = 130 + (Math.floor(at / platforms.length) % 6);
  const ip = `203.0.113.${at % 250}`;
  return [
    "Host: login.example.com",
    "Connection: keep-alive",
    `sec-ch-ua: "Chromium";v="${version}", "Google Chrome";v="${version}", "Not?A_Brand";v="99"`,
    "sec-ch-ua-mobile: ?0",
    `sec-ch-ua-platform: ${platform}`,
    `User-Agent: Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36`,
    ...fetched,
    "Referer: https://www.example.com/",
    "Accept-Encoding: gzip, br",
    "Accept-Language: en-GB,en;q=0.9",
    `Cookie: ${cookie}`,
    `CF-Connecting-IP: ${ip}`,
    `X-Forwarded-For: ${ip}`,
    "X-Forwarded-Proto: https",
    'CF-Visitor: {"scheme":"https"}',
    `CF-Ray: ${hexadecimal(8)}-LHR`,
    "CF-IPCountry: GB",
    "CDN-Loop: cloudflare; loops=1",
    "",
    "",
  ].join("\r\n");
}

const navigation = [
  "Upgrade-Insecure-Requests: 1",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
  "Sec-Fetch-Site: cross-site",
  "Sec-Fetch-Mode: navigate",
  "Sec-Fetch-User: ?1",
  "Sec-Fetch-Dest: document",
];
const style = [
  "Accept: text/css,*/*;q=0.1",
  "Sec-Fetch-Site: same-origin",
  "Sec-Fetch-Mode: no-cors",
  "Sec-Fetch-Dest: style",
];

/** Every visitor has other sites' cookies too, GrowthBook's id among them. */
const foreignCookies = () =>
  `_ga=GA1.1.${randomBytes(4).readUInt32LE()}.1735689600; gbuuid=${randomUUID()}; _interaction=${hexadecimal(16)}`;

export interface Visitors {
  returning: readonly Head[];
  newcomers: readonly Head[];
  styles: readonly Head[];
}

function cookiesIn(answer: string): string {
  const pairs = [...answer.matchAll(/\r\nset-cookie: *([^;\r\n]+)/gi)].map(([, pair = ""]) => pair);
  if (!["vst_did=", "vst_ses="].every((name) => pairs.some((pair) => pair.startsWith(name)))) {
    throw new Error(`the gate set no cookies:\n${answer.slice(0, 800)}`);
  }
  return pairs.join("; ");
}

/** Lets `count` browsers open the log-in page through the gate and keeps what it gave them. */
export async function inviteVisitors(gateUrl: string, count: number): Promise<Visitors> {
  const visitors = { returning: [] as Head[], newcomers: [] as Head[], styles: [] as Head[] };
  let invited = 0;
  async function invite(gate: Client): Promise<void> {
    while (invited < count) {
      const at = invited++;
      const foreign = foreignCookies();
      const newcomer = headOf(at, navigation, foreign);
      const own = cookiesIn(await gate.ask(`GET /login HTTP/1.1\r\n${newcomer}`));
      visitors.newcomers.push(newcomer);
      visitors.returning.push(headOf(at, navigation, `${foreign}; ${own}`));
      visitors.styles.push(headOf(at, style, `${foreign}; ${own}`));
    }
    gate.close();
  }
  const doors = Array.from({ length: 8 }, () => createClient(gateUrl, 1));
  await Promise.all(doors.map(invite));
  return visitors;
}

/** Requests without end: a path each, the visitors in turn. */
export function requestsOf(heads: readonly Head[], path: () => string): () => string {
  let at = 0;
  return () => {
    at = at + 1 === heads.length ? 0 : at + 1;
    return `GET ${path()} HTTP/1.1\r\n${heads[at]}`;
  };
}
