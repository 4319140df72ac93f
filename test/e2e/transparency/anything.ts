/** Any legal exchange, not only those somebody thought of. */
import fc from "fast-check";
import { test } from "vitest";
import { chunked, headBytes } from "../raw-message.ts";
import { hangUp, type Step } from "../raw-origin.ts";
import { expectTransparent } from "./compare.ts";
import { askers, type Exchange, hosts, type World } from "./world.ts";

type Line = readonly [string, string];

const characters = (from: string) => fc.constantFrom(...from);
const text = (from: string, maxLength: number) => fc.string({ unit: characters(from), maxLength });
const alphanumeric = "abcXYZ019";

/** RFC 9110 §5.6.2; the first letter keeps them off names that mean something. */
const name = text(`${alphanumeric}!#$%&'*+-.^_\`|~`, 12).map((rest) => `xq${rest}`);
/** RFC 9110 §5.5, obs-text included; space and tab within. */
const value = text(`${alphanumeric} \t,;:="'\\/()<>@[]{}?\x80\xe9\xff`, 40).map((all) =>
  all.replace(/^[ \t]+|[ \t]+$/g, ""),
);
const filled = value.filter((all) => all !== "");
const line: fc.Arbitrary<Line> = fc.tuple(name, value);

/** Each once: how several lines of a known name are joined has tests of its own. */
const linesOf = (known: readonly string[]) =>
  fc
    .tuple(
      fc.array(line, { maxLength: 8 }),
      fc.uniqueArray(fc.tuple(fc.constantFrom(...known), filled), { selector: ([each]) => each, maxLength: 5 }),
    )
    .map(([odd, usual]): Line[] => [...odd, ...usual]);

const requestLines = linesOf([
  ..."Accept-Language Accept-Encoding Authorization Cache-Control Content-Language Content-Type Forwarded From".split(
    " ",
  ),
  ..."If-Match If-None-Match If-Modified-Since Max-Forwards Origin Pragma Range Referer Sec-CH-UA Via DNT".split(" "),
]);
const answerLines = linesOf([
  ..."Accept-Ranges Age Allow Cache-Control Content-Disposition Content-Language Content-Location Date".split(" "),
  ..."Content-Security-Policy ETag Expires Last-Modified Link Location Retry-After Server Vary WWW-Authenticate".split(
    " ",
  ),
]);
const cookieLines = fc.array(
  filled.map((all): Line => ["Set-Cookie", `c=${all}`]),
  { maxLength: 4 },
);

/** What workerd takes as an address at all (RFC 3986, and some more). */
const path = text(`${alphanumeric}/////..-_~!$&'()*+,;=:@%[]|\\#`, 40).map((rest) => `/${rest}`);
const query = fc.option(
  text(`${alphanumeric}&&==+%%?/:@!$()*,;-._~[]{}|^\\'#`, 40).map((rest) => `?${rest}`),
  { nil: "" },
);

const bytes = fc.uint8Array({ maxLength: 2000 }).map((all) => Buffer.from(all));
const pieces = fc.array(
  bytes.filter(({ length }) => length > 0),
  { maxLength: 4 },
);

interface Framed {
  lines: Line[];
  steps: Step[];
}
const withLength = bytes.map((all): Framed => ({ lines: [["Content-Length", String(all.length)]], steps: [all] }));
const inChunks = pieces.map((all): Framed => ({ lines: [["Transfer-Encoding", "chunked"]], steps: [chunked(...all)] }));
const untilClose = bytes.map((all): Framed => ({ lines: [], steps: [all, hangUp] }));

const method = fc.constantFrom(
  "GET",
  "GET",
  "GET",
  "HEAD",
  "POST",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "QUERY",
);
const status = fc.oneof(fc.integer({ min: 200, max: 599 }), fc.constantFrom(200, 204, 205, 302, 303, 304, 401));
const reason = text(`${alphanumeric} '-!,`, 20).map((all) => all.trim());

const type = fc.constantFrom<Line[]>([], [["Content-Type", "text/html"]], [["Content-Type", "application/json"]]);
const exchange = fc
  .record({
    ...{ method, path, query, status, reason, type, cookieLines },
    ...{ headers: requestLines, answered: answerLines },
    cookie: fc.option(filled, { nil: undefined }),
    sent: fc.option(fc.oneof(withLength, inChunks), { nil: { lines: [], steps: [] } }),
    said: fc.oneof(withLength, inChunks, untilClose),
  })
  .map(
    ({ method, path, query, status, reason, type, cookieLines, headers, answered, cookie, sent, said }): Exchange => {
      const isBodiless = method === "HEAD" || status === 204 || status === 304;
      const lines = [...answered, ...type, ...cookieLines, ...(isBodiless ? [] : said.lines)];
      const head = headBytes(`HTTP/1.1 ${status} ${reason}`, lines);
      return {
        ...{
          method,
          target: path + query,
          headers: [...headers, ...sent.lines],
          answer: [head, ...(isBodiless ? [] : said.steps)],
        },
        ...(sent.steps[0] instanceof Buffer ? { body: sent.steps[0] } : {}),
        ...(cookie === undefined ? {} : { cookie }),
      };
    },
  );

export function describeAnything(world: World): void {
  test("any request and any answer pass as through a bare Worker", async () => {
    await fc.assert(
      fc.asyncProperty(exchange, fc.constantFrom(...askers), async (each, asker) => {
        await expectTransparent(world, each, asker);
      }),
      { numRuns: 400 },
    );
  });

  test("and where the request is fetched as it came", async () => {
    await fc.assert(
      fc.asyncProperty(exchange, fc.constantFrom(...askers), async (each, asker) => {
        await expectTransparent(world, { ...each, host: world.origin.host }, asker);
      }),
      { numRuns: 100 },
    );
  });

  test("and where no page is there to put attributes into", async () => {
    await fc.assert(
      fc.asyncProperty(exchange, fc.constantFrom(...askers), async (each, asker) => {
        const isPage = each.answer?.some((step) => step.toString().includes("text/html"));
        if (!isPage) await expectTransparent(world, { ...each, host: hosts.inject }, asker);
      }),
      { numRuns: 100 },
    );
  });
}
