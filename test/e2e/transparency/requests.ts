/** The request that reaches the origin is the client's. */
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { chunked, headBytes } from "../raw-message.ts";
import type { Step } from "../raw-origin.ts";
import { expectTransparent } from "./compare.ts";
import { type Asker, askers, type Exchange, type HeaderLines, type World } from "./world.ts";

export function describeRequests(world: World): void {
  const methods = [
    ..."GET HEAD POST PUT PATCH DELETE OPTIONS TRACE PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK".split(" "),
    ..."REPORT SEARCH QUERY PURGE ACL MERGE MKACTIVITY CHECKOUT NOTIFY SUBSCRIBE UNSUBSCRIBE".split(" "),
  ];

  function answerTo(method: string): readonly Step[] {
    const head = headBytes("HTTP/1.1 200 OK", [["Content-Length", "2"]]);
    return method === "HEAD" ? [head] : [head, "ok"];
  }

  async function expectAll(exchange: Exchange, who: readonly Asker[] = askers): Promise<void> {
    for (const asker of who) await expectTransparent(world, exchange, asker);
  }

  describe("methods", () => {
    test.for(methods)("%s", async (method) => {
      await expectAll({ method, answer: answerTo(method) });
      await expectAll({ method, answer: answerTo(method), headers: [["Content-Length", "0"]] });
      await expectAll({ method, answer: answerTo(method), headers: [["Content-Length", "3"]], body: "a\0\xff" });
      const headers: HeaderLines = [["Transfer-Encoding", "chunked"]];
      await expectAll({ method, answer: answerTo(method), headers, body: chunked("ab", "c\r\n") });
    });

    // workerd knows no other methods (501), and hands CONNECT to no `fetch` handler (500).
    test.for([
      ["BREW", 501],
      ["get", 501],
      ["CONNECT", 500],
    ] as const)("%s never reaches a Worker", async ([method, status]) => {
      for (const way of ["bare", "gate"] as const) {
        const { received, answer } = await world.see(way, { method }, "document");
        expect({ received, status: answer?.status }).toEqual({ received: null, status });
      }
    });
  });

  describe("bodies", () => {
    const sizes = { "1 byte": 1, "1 MiB": 2 ** 20, "10 MiB": 10 * 2 ** 20 };
    test.for(Object.entries(sizes))("%s, with a length and in chunks", async ([, size]) => {
      const body = randomBytes(size);
      const type = ["Content-Type", "application/octet-stream"] as const;
      const who: readonly Asker[] = size > 2 ** 20 ? ["session"] : askers;
      await expectAll({ method: "POST", headers: [type, ["Content-Length", String(size)]], body }, who);
      const pieces = [body.subarray(0, size >> 2), body.subarray(size >> 2)].filter(({ length }) => length > 0);
      await expectAll(
        { method: "PUT", headers: [type, ["Transfer-Encoding", "chunked"]], body: chunked(...pieces) },
        who,
      );
    });
  });

  describe("targets", () => {
    const targets = [
      ...["/", "/?", "/a?", "/a??b", "/a?b?c", "/a?&&", "/a?=", "/a?=&=", "/a?+", "/a?a+b=%20+%2B", "/a?x;y=z", "/a?%"],
      ...["/%", "/%zz?%zz", "/a?q=%E2%98%83&r=%ff", "/caf%C3%A9", "/a%00b", "/a%2Fb%2f", "/a%23b%3F", "/%41%7e~"],
      ...["//", "///a", "/a//b/", "//evil.test/x", "/a.", "/a..", "/a.b/", "/...", "/a:80@b", "/a;b=c", "/'()*!,$&=+"],
      ...["/[x]?[y]=1", '/a"b', "/a^b{}|", "/a?b'c", "/a?{}|^`", `/${"long/".repeat(800)}?${"q=1&".repeat(1000)}`],
      ...["/a?client_id=x&response_type=code&prompt=login&redirect_uri=https%3A%2F%2Fapp.test%2Fcb%3Fa%3D1%26b"],
      ...["/.", "/..", "/a/./b/../c", "/%2e%2e/a", "/a/%2E/b", "/a\\b", "/a#b", "http://login.test/abs?x"],
    ];
    test.for(targets.map((target) => [target.slice(0, 60), target] as const))("%s", async ([, target]) => {
      await expectAll({ target });
    });

    test("what is no address never reaches a Worker", async () => {
      for (const target of ["/a b", "/caf\xe9", "/a?caf\xe9", "/a<", "/a`", '/a?"', "/a?<>", "/\x7f"]) {
        for (const way of ["bare", "gate"] as const) {
          const { received, answer } = await world.see(way, { target }, "document");
          expect({ target, received, status: answer?.status }).toEqual({ target, received: null, status: 400 });
        }
      }
    });
  });

  describe("headers", () => {
    const many = Array.from({ length: 60 }, (_, index) => [`X-Many-${index}`, "v".repeat(index)] as const);
    const cases: Record<string, HeaderLines> = {
      "odd but legal names": [
        ["X!#$%&'*+.^_`|~-1", "a"],
        ["x-lower", "b"],
        ["X-UPPER", "c"],
        ["0", "d"],
        ["_under_score", "e"],
      ],
      "odd but legal values": [
        ["X-Quoted", '"a, b"; c="\\""'],
        ["X-Tab", "a\tb"],
        ["X-Latin", "caf\xe9 \xff\x80"],
        ["X-UTF-8", "\xe2\x98\x83"],
        ["X-Empty", ""],
        ["Accept-Language", ""],
        ["X-Long", "x".repeat(8192)],
      ],
      "repeated lines": [
        ["X-Twice", "1"],
        ["x-twice", ""],
        ["X-TWICE", "1"],
        ["Accept-Language", "de"],
        ["Accept-Language", "en;q=0.5"],
      ],
      many,
      "a client's own no-cache": [
        ["Cache-Control", "no-cache"],
        ["Pragma", "no-cache"],
      ],
      "a client's own max-age": [["Cache-Control", "max-age=0"]],
      "a client's own pragma": [["Pragma", "x-odd"]],
      conditional: [
        ["If-None-Match", '"a", W/"b"'],
        ["If-Modified-Since", "Wed, 21 Oct 2015 07:28:00 GMT"],
        ["If-Match", "*"],
        ["If-Unmodified-Since", "never"],
        ["If-Range", '"a"'],
        ["Range", "bytes=0-1, 5-"],
      ],
      credentials: [
        ["Authorization", "Basic dTpw"],
        ["Origin", "null"],
        ["Referer", "::no address"],
      ],
      "from other proxies": [
        ["X-Forwarded-For", "192.0.2.1, 192.0.2.2"],
        ["X-Forwarded-Host", "evil.test"],
        ["X-Forwarded-Proto", "gopher"],
        ["Forwarded", 'for="[2001:db8::1]"'],
        ["Via", "1.0 a"],
        ["X-Real-IP", "192.0.2.1"],
        ["CF-Connecting-IP", "192.0.2.3"],
        ["CDN-Loop", "other"],
      ],
      "encodings asked for": [["Accept-Encoding", "br;q=1.0, gzip;q=0.8, *;q=0.1"]],
      "no encoding": [["Accept-Encoding", "identity"]],
      "hop by hop": [
        ["Connection", "X-Hop , keep-alive"],
        ["X-Hop", "1"],
        ["Keep-Alive", "timeout=5"],
        ["TE", "trailers"],
        ["Trailer", "X-T"],
        ["Proxy-Authorization", "Basic dTpw"],
        ["Proxy-Connection", "keep-alive"],
        ["Upgrade", "h2c"],
      ],
    };
    test.for(Object.entries(cases))("%s", async ([, headers]) => {
      await expectAll({ headers });
      await expectAll({ method: "POST", headers: [...headers, ["Content-Length", "3"]], body: "a=b" });
    });

    test("cookies of other names", async () => {
      await expectAll({ cookie: 'a="b c"; __Host-x=%zz; =; ;;e; vst=1; vst_other=2; \xe9=\xff' });
      // Repeated lines, which the platform joins with a comma: what it joins to ours is ours no more.
      const headers: HeaderLines = [["Cookie", "a=b"], ["Cookie", "c=d"]]; // biome-ignore format: one line
      await expectAll({ headers }, ["document", "subresource", "call"]);
    });

    test("stamps of a client's own never arrive", async () => {
      const headers: HeaderLines = [
        ["X-Experiment-Id", "exp_Forged"],
        ["x-experiment-anything", "1"],
        ["X-EXPERIMENT-", "2"],
      ];
      for (const asker of askers) {
        const { received } = await world.see("gate", { headers }, asker);
        expect(JSON.stringify(received?.head.headers)).not.toMatch(/exp_Forged|anything|x-experiment-"/i);
      }
    });

    test("a client cannot have its address taken off by naming it in Connection", async () => {
      const headers: HeaderLines = [
        ["Connection", "x-forwarded-for, cf-connecting-ip, x-forwarded-host"],
        ["X-Forwarded-For", "192.0.2.1"],
        ["CF-Connecting-IP", "192.0.2.1"],
      ];
      const { received } = await world.see("gate", { headers }, "call");
      const names = received?.head.headers.map(([name]) => name.toLowerCase());
      expect(names).toEqual(expect.arrayContaining(["x-forwarded-for", "cf-connecting-ip", "x-forwarded-host"]));
    });
  });
}
