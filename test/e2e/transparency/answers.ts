/** The answer that reaches the client is the origin's. */
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { chunked, headBytes, valuesOf } from "../raw-message.ts";
import { hangUp, type Step } from "../raw-origin.ts";
import { expectTransparent } from "./compare.ts";
import { type Asker, askers, type Exchange, type HeaderLines, type World } from "./world.ts";

export function describeAnswers(world: World): void {
  async function expectAll(exchange: Exchange, who: readonly Asker[] = askers): Promise<void> {
    for (const asker of who) await expectTransparent(world, exchange, asker);
  }

  function say(status: string, headers: HeaderLines = [], body: Buffer | string = ""): Step[] {
    const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
    const length = bytes.length > 0 ? [["Content-Length", String(bytes.length)] as const] : [];
    return [headBytes(`HTTP/1.1 ${status}`, [...headers, ...length]), bytes];
  }

  const html: HeaderLines = [["Content-Type", "text/html; charset=utf-8"]];

  describe("statuses", () => {
    const statuses = [
      ...[200, 201, 202, 203, 206, 207, 208, 226, 299, 300, 301, 302, 303, 305, 306, 307, 308, 399],
      ...[400, 401, 402, 403, 404, 405, 407, 408, 409, 410, 413, 416, 418, 421, 422, 425, 426, 429, 431, 451, 499],
      ...[500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 530, 599],
    ];
    test.for(statuses)("%i", async (status) => {
      const location: HeaderLines = [
        ["Location", "https://app.test/cb?code=1&state=%zz#f"],
        ["Retry-After", "1"],
      ];
      await expectAll({ answer: say(`${status} In its own Words`, [...location, ...html], "<p>body") });
      await expectAll({ method: "HEAD", answer: say(`${status} `, [...location, ["Content-Length", "7"]]) });
    });

    test.for(["204 No Content", "205 Reset Content", "304 Not Modified"])("%s", async (status) => {
      const validators: HeaderLines = [
        ["ETag", 'W/"a,b"'],
        ["Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT"],
      ];
      await expectAll({
        answer: say(status, [...validators, ["Vary", "Cookie"]]).concat(status.startsWith("205") ? hangUp : []),
      });
      await expectAll({ answer: say(status, [...validators, ["Content-Length", "0"]]) });
      await expectAll({ method: "HEAD", answer: say(status, validators) });
    });

    test("one beyond 599 passes, though a Response of it cannot be made", async () => {
      for (const status of ["600 Beyond", "999 Denied"]) {
        await expectAll({ answer: say(status, [["Set-Cookie", "a=1"]], "body") });
      }
    });

    test("with another reason, with none, and in an older version", async () => {
      for (const reason of ["200 Fine, thanks", "200 ", "200", "404 caf\xe9"])
        await expectAll({ answer: say(reason, [], "ok") });
      await expectAll({ answer: [headBytes("HTTP/1.0 200 OK", [["Content-Length", "2"]]), "ok", hangUp] });
    });
  });

  describe("headers", () => {
    const many = Array.from({ length: 60 }, (_, index) => [`X-Many-${index}`, "v".repeat(index)] as const);
    const cases: Record<string, HeaderLines> = {
      cookies: [
        ["Set-Cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/"],
        ["set-cookie", "b=x,y; Expires=Thursday, 01-Jan-70 00:00:01 GMT"],
        ["SET-COOKIE", "b=x,y; Expires=never"],
        ["Set-Cookie", "=; ;;"],
        ["Set-Cookie", "c=\xe9\xff"],
        ["X-Between", "1"],
        ["Set-Cookie", `long=${"x".repeat(4096)}`],
      ],
      "odd but legal names": [
        ["X!#$%&'*+.^_`|~-1", "a"],
        ["x-lower", "b"],
        ["X-UPPER", "c"],
        ["0", "d"],
      ],
      "odd but legal values": [
        ["X-Quoted", '"a, b"; c="\\""'],
        ["X-Tab", "a\tb"],
        ["X-Latin", "caf\xe9 \xff\x80"],
        ["X-UTF-8", "\xe2\x98\x83"],
        ["X-Empty", ""],
        ["Cache-Control", ""],
        ["Date", "nonsense"],
        ["X-Long", "x".repeat(8192)],
      ],
      many,
      "repeated lines": [
        ["X-Twice", "1"],
        ["x-twice", "2"],
        ["Vary", "Cookie"],
        ["Vary", ""],
        ["Link", "</a>; rel=preload"],
        ["Link", "</b>"],
        ["WWW-Authenticate", 'Basic realm="a, b"'],
        ["WWW-Authenticate", "Negotiate"],
      ],
      security: [
        ["Content-Security-Policy", "default-src 'self'; script-src 'nonce-a'"],
        ["Content-Security-Policy", "frame-ancestors 'none'"],
        ["Strict-Transport-Security", "max-age=1"],
        ["Alt-Svc", "clear"],
        ["Refresh", "5; url=/"],
      ],
      "hop by hop": [
        ["Connection", "X-Hop, keep-alive"],
        ["X-Hop", "1"],
        ["Keep-Alive", "timeout=5"],
        ["Trailer", "X-T"],
        ["Proxy-Authenticate", "Basic"],
        ["Proxy-Connection", "keep-alive"],
        ["Upgrade", "h2c"],
      ],
      validators: [
        ["ETag", '"\xe9"'],
        ["Last-Modified", "yesterday"],
        ["Age", "1"],
        ["Expires", "0"],
        ["Accept-Ranges", "none"],
      ],
    };
    test.for(Object.entries(cases))("%s", async ([, headers]) => {
      await expectAll({ answer: say("200 OK", [...headers, ...html], "<!doctype html><p>page") });
      await expectAll({ answer: say("401 No", headers, "body") });
    });

    test.for([
      ["public, max-age=60", "private, no-cache"],
      ["Public,S-MaxAge=60 ,must-revalidate", "private, no-cache"],
      ["max-age=60", "private, no-cache"],
      ['private="x-a", max-age=60', "private, no-cache"],
      ["no-store", "private, no-store"],
      ["private, max-age=60", "private, no-cache"],
      ["no-cache, must-revalidate", "private, no-cache"],
    ] as const)("Cache-Control: %s", async ([sent, expected]) => {
      const exchange = { answer: say("200 OK", [["Cache-Control", sent], ...html], "page") };
      for (const asker of askers) {
        const { answer } = await world.see("gate", exchange, asker);
        const stamped = asker === "document" || asker === "session";
        expect(answer && valuesOf(answer.head, "cache-control")).toEqual([stamped ? expected : sent]);
      }
    });

    test("Connection cannot take cookies off", async () => {
      const answer = say(
        "200 OK",
        [["Connection", "set-cookie, content-type"], ["Set-Cookie", "a=1"], ...html],
        "page",
      );
      for (const asker of askers) {
        const seen = await world.see("gate", { answer }, asker);
        expect(seen.answer && valuesOf(seen.answer.head, "set-cookie")).toContain("a=1");
      }
    });
  });

  describe("encodings, as sent", () => {
    const text = Buffer.from("<!doctype html><html><p>caf\u00e9 \u2603 ".repeat(200));
    const coded: Record<string, Buffer> = {
      gzip: gzipSync(text),
      br: brotliCompressSync(text),
      deflate: deflateSync(text),
      zstd: zstdCompressSync(text),
      "gzip, br": brotliCompressSync(gzipSync(text)),
      "x-own": text,
    };
    const accepted: (string | undefined)[] = ["gzip", "gzip, deflate, br, zstd", "br", "identity", "*", undefined];
    test.for(Object.entries(coded))("%s", async ([encoding, bytes]) => {
      const headers: HeaderLines = [
        ["Content-Encoding", encoding],
        ["ETag", '"x"'],
        ["Vary", "Accept-Encoding"],
        ...html,
      ];
      for (const accept of accepted) {
        const asked: HeaderLines = accept === undefined ? [] : [["Accept-Encoding", accept]];
        await expectAll({ headers: asked, answer: say("200 OK", headers, bytes) });
        const head = headBytes("HTTP/1.1 200 OK", [...headers, ["Transfer-Encoding", "chunked"]]);
        await expectAll({ headers: asked, answer: [head, chunked(bytes.subarray(0, 9), bytes.subarray(9))] }, [
          "session",
        ]);
      }
      await expectAll({
        method: "HEAD",
        answer: say("200 OK", [...headers, ["Content-Length", String(bytes.length)]]),
      });
    });

    test("what only claims to be encoded", async () => {
      await expectAll({ answer: say("200 OK", [["Content-Encoding", "gzip"], ...html], "no gzip at all") });
    });
  });

  describe("lengths", () => {
    test("in chunks, empty, binary and large", async () => {
      const head = headBytes("HTTP/1.1 200 OK", [["Transfer-Encoding", "chunked"], ...html]);
      await expectAll({ answer: [head, chunked("a", "bc", "\0\xff\r\n0\r\n\r\n")] });
      await expectAll({ answer: [head, chunked()] });
      await expectAll({ answer: [headBytes("HTTP/1.1 200 OK", [["Content-Length", "0"], ...html])] });
      const large = Buffer.alloc(10 * 2 ** 20, "0123456789abcdef\n");
      await expectAll({ answer: say("200 OK", html, large) }, ["document"]);
      await expectAll({ answer: [head, chunked(large.subarray(0, 99), large.subarray(99))] }, ["document"]);
    });

    test("unknown, ended by closing", async () => {
      await expectAll({ answer: [headBytes("HTTP/1.1 200 OK", html), "until ", "the end", hangUp] });
      await expectAll({ answer: [headBytes("HTTP/1.1 200 OK", html), hangUp] });
    });

    test("a body cut off midway is seen to be cut", async () => {
      const cuts: readonly Step[][] = [
        [headBytes("HTTP/1.1 200 OK", [["Content-Length", "20"], ...html]), "not twenty", hangUp],
        [headBytes("HTTP/1.1 200 OK", [["Transfer-Encoding", "chunked"], ...html]), "5\r\nwhole\r\n", hangUp],
        [headBytes("HTTP/1.1 200 OK", [["Transfer-Encoding", "chunked"], ...html]), "ff\r\nhalf", hangUp],
      ];
      for (const answer of cuts) {
        for (const asker of askers) {
          const { answer: seen } = await world.see("gate", { answer }, asker);
          expect(seen).toMatchObject({ status: 200, isWhole: false });
        }
      }
    });

    test("ranges", async () => {
      const range = say(
        "206 Partial Content",
        [["Content-Range", "bytes 0-1/5"], ["ETag", '"x"'], ["Accept-Ranges", "bytes"], ...html],
        "ok",
      );
      await expectAll({
        headers: [
          ["Range", "bytes=0-1"],
          ["If-Range", '"x"'],
        ],
        answer: range,
      });
      const part = "--b\r\nContent-Range: bytes 0-0/5\r\n\r\no\r\n--b--";
      const parts = say("206 Partial Content", [["Content-Type", "multipart/byteranges; boundary=b"]], part);
      await expectAll({ headers: [["Range", "bytes=0-0,2-2"]], answer: parts });
      await expectAll({
        headers: [["Range", "bytes=9-"]],
        answer: say("416 No", [["Content-Range", "bytes */5"]], "x"),
      });
    });
  });
}
