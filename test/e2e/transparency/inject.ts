/** With `inject: "attributes"` two attributes stand in a page's first tag; every other byte is the origin's. */
import {
  brotliCompressSync,
  brotliDecompressSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openConnection, type RawAnswer, readAnswerHead } from "../raw-client.ts";
import { chunk, chunked, concatenate, headBytes, readBody, valuesOf } from "../raw-message.ts";
import { hangUp, type Step } from "../raw-origin.ts";
import { expectTransparent } from "./compare.ts";
import { askers, type Exchange, type HeaderLines, hosts, type Seen, type World } from "./world.ts";

const host = hosts.inject;
const html: HeaderLines = [["Content-Type", "text/html; charset=utf-8"]];
const bytesOf = (text: string) => Buffer.from(text, "latin1");

function page(body: Buffer | string, headers: HeaderLines = html, status = "200 OK"): Step[] {
  const bytes = typeof body === "string" ? bytesOf(body) : body;
  return [headBytes(`HTTP/1.1 ${status}`, [...headers, ["Content-Length", String(bytes.length)]]), bytes];
}

/** What goes after the first `<html`. */
function attributesOf({ received }: Seen): string {
  const [variation = "none"] = received ? valuesOf(received.head, "x-experiment-variation-id") : [];
  return ` data-experiment-id="exp_WarmerLogin" data-variation-id="${variation}"`;
}

function decoded({ head, body }: RawAnswer): string {
  const [encoding] = valuesOf(head, "content-encoding");
  if (encoding === "gzip") return gunzipSync(body).toString("latin1");
  return (encoding === "br" ? brotliDecompressSync(body) : body).toString("latin1");
}

export function describeInjection(world: World): void {
  async function expectSame(exchange: Exchange): Promise<void> {
    for (const asker of askers) await expectTransparent(world, { host, ...exchange }, asker);
  }

  /** The page cut in two at the mark, where the attributes are expected. */
  async function expectInjected(marked: string, answer: readonly Step[], exchange: Exchange = {}): Promise<void> {
    for (const asker of ["document", "session"] as const) {
      const seen = await world.see("gate", { host, answer, ...exchange }, asker);
      if (!seen.answer) throw new Error("no answer");
      expect(decoded(seen.answer)).toBe(marked.replace("§", attributesOf(seen)));
      expect(seen.answer.isWhole).toBe(true);
    }
    for (const asker of ["subresource", "call"] as const) {
      await expectTransparent(world, { host, answer, ...exchange }, asker);
    }
  }

  const pages = [
    "<!doctype html>\n<html§   lang='de'\n class=a  >\n<head><title>x</title><p>y</html>\n",
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN">\r\n<HTML§ LANG=de ID="\xe9">caf\xe9 \xff\x80\0',
    '\xef\xbb\xbf<?xml version="1.0"?><!-- <html> --><html§/><p>',
    "<!--><!---><!--a--!><!-- - -- > <html\n--><html§\t><!-- <html> -->",
    "Notice: 1 < 2 </p><br-like text\n<html§>".replace("<br-like", "<1br-like"),
    // The first wins in a browser, so ours do over a page's own.
    "<html§ data-experiment-id=mine data-variation-id='own'><html data-variation-id=b>",
    // HTMLRewriter answers nothing to these.
    "<html§><select><script>1</script><option>a</select><form>",
    "<html§></html><frameset><title>t</title><style>s</style>",
    `<html§><p>${"long ".repeat(20_000)}`,
  ];
  test.for(pages.map((marked) => [marked.slice(0, 40), marked] as const))("into %j", async ([, marked]) => {
    await expectInjected(marked, page(marked.replace("§", "")));
    const whole = bytesOf(marked.replace("§", ""));
    const head = headBytes("HTTP/1.1 200 OK", [...html, ["Transfer-Encoding", "chunked"]]);
    const pieces = whole.length > 500 ? [whole] : [...whole].map((byte) => Buffer.from([byte]));
    await expectInjected(marked, [head, chunked(...pieces)]);
    await expectInjected(marked, [headBytes("HTTP/1.1 401 No", html), whole, hangUp]);
  });

  test("what speaks of the body goes, all other headers stay", async () => {
    const ofBody = ["ETag", "Last-Modified", "Accept-Ranges", "Content-MD5", "Digest", "Content-Digest"];
    const others: HeaderLines = [
      ...html,
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=\xe9"],
      ["X-Twice", "1"],
      ["x-twice", ""],
    ];
    const answer = page("<html><p>x", [...others, ...ofBody.map((name) => [name, '"x"'] as const)]);
    const bare = await world.see("bare", { answer: page("<html><p>x", others) }, "session");
    const gate = await world.see("gate", { host, answer }, "session");
    const isOwn = (name: string, value: string) =>
      !/^(?:cache-control|content-length|transfer-encoding)$/i.test(name) && !value.startsWith("vst_");
    const linesOf = ({ answer: seen }: Seen) => seen?.head.headers.filter(([name, value]) => isOwn(name, value));
    expect(linesOf(gate)).toEqual(linesOf(bare));
  });

  test.for(["iso-8859-1", "windows-1252", "Shift_JIS", "GB18030", "koi8-r", "nonsense", ""])(
    "a page in %s",
    async (charset) => {
      const type = [["Content-Type", `text/html${charset && `; charset="${charset}"`}`] as const];
      await expectInjected("<html§>\x83\x5c\xe9\x81\x30", page("<html>\x83\x5c\xe9\x81\x30", type));
    },
  );

  test("encoded pages arrive so that they can be decoded", async () => {
    const headers = [["Accept-Encoding", "gzip, br"]] as const;
    const marked = `<!doctype html><html§><p>${"caf\xe9 ".repeat(5_000)}`;
    const plain = bytesOf(marked.replace("§", ""));
    for (const [encoding, bytes] of [
      ["gzip", gzipSync(plain)],
      ["br", brotliCompressSync(plain)],
      ["identity", plain],
    ] as const) {
      await expectInjected(marked, page(bytes, [...html, ["Content-Encoding", encoding]]), { headers });
      await expectInjected(marked, page(bytes, [...html, ["Content-Encoding", encoding]]));
    }
  });

  describe("what is no such page stays byte by byte", () => {
    const text = "<html><p>x";
    const zstd = zstdCompressSync(bytesOf(text));
    const cases: Record<string, readonly Step[]> = {
      "no HTML": page(text, [
        ["Content-Type", "application/json"],
        ["ETag", '"x"'],
      ]),
      XHTML: page(text, [["Content-Type", "application/xhtml+xml"]]),
      "no type": page(text, []),
      "a part": page(text, [...html, ["Content-Range", "bytes 0-9/20"], ["ETag", '"x"']], "206 Partial Content"),
      "UTF-16": page(Buffer.from(text, "utf16le"), [
        ["Content-Type", "text/html; charset=UTF-16LE"],
        ["ETag", '"x"'],
      ]),
      zstd: page(zstd, [...html, ["Content-Encoding", "zstd"], ["ETag", '"x"']]),
      "zstd by look": page(text, [...html, ["Content-Encoding", "zstd"]]),
      deflate: page(deflateSync(bytesOf(text)), [...html, ["Content-Encoding", "deflate"]]),
      "two encodings": page(text, [...html, ["Content-Encoding", "gzip, br"]]),
      "no-transform": page(text, [...html, ["Cache-Control", "no-transform"], ["ETag", '"x"']]),
      "status beyond 599": page(text, html, "999 Denied"),
      "not modified": [headBytes("HTTP/1.1 304 Not Modified", [...html, ["ETag", '"x"']])],
      "no content": [headBytes("HTTP/1.1 204 No Content", html)],
    };
    test.for(Object.entries(cases))("%s", async ([, answer]) => {
      await expectSame({ answer });
      await expectSame({ method: "POST", headers: [["Content-Length", "3"]], body: "a=b", answer });
    });

    test("the answer to HEAD", async () => {
      const answer = [headBytes("HTTP/1.1 200 OK", [...html, ["Content-Length", "99"], ["ETag", '"x"']])];
      await expectSame({ method: "HEAD", answer });
    });

    test("a page that has no html tag, or only a late one", async () => {
      const late = `<!-- ${"x".repeat(20_000)} --><html>`;
      for (const body of [
        "<p>fragment",
        "",
        "<",
        "<htm",
        "<html",
        "<html-x>",
        "<p><html>",
        "<script>'<html>'</script>",
        late,
      ]) {
        const { answer } = await world.see("gate", { host, answer: page(body) }, "session");
        expect(answer).toMatchObject({ isWhole: true, body: bytesOf(body) });
      }
    });
  });

  test("a page streams on, and a cut is seen", async () => {
    for (const ending of ["whole", "cut"] as const) {
      const client = await openConnection(world.urls.gate);
      let finish = () => {};
      world.origin.answerWith(async ({ write, socket }) => {
        write(headBytes("HTTP/1.1 200 OK", [...html, ["Transfer-Encoding", "chunked"]]));
        write(chunk("<!doctype html><html"));
        write(chunk("><p>first"));
        await new Promise<void>((settle) => {
          finish = settle;
        });
        write(ending === "whole" ? chunked("last") : chunk("la"));
        if (ending === "cut") socket.end();
      });
      client.write(world.requestBytes({ host }, "session"));
      const { framing, length } = await readAnswerHead(client.reader, "GET");
      const chunks = readBody(client.reader, framing, length);
      let seen = "";
      while (!seen.endsWith("<p>first")) seen += (await chunks.next()).value?.toString();
      expect(seen).toMatch(/^<!doctype html><html data-experiment-id="\w+" data-variation-id="\w+"><p>first$/);
      finish();
      const rest = concatenate(chunks).then(String, (error: unknown) => error);
      if (ending === "whole") expect(await rest).toBe("last");
      else expect(await rest).toBeInstanceOf(Error);
      client.abandon();
    }
  });

  test("any page, in any pieces: two attributes at most, all else as it was", async () => {
    const bits = [
      "<html",
      "<html>",
      "<!--",
      "-->",
      "<!",
      ">",
      "<",
      "</",
      "<?",
      " ",
      "\n",
      "<p>",
      "a",
      "\xe9",
      "<!doctype html>",
      "--!>",
      "-",
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.constantFrom(...bits), { minLength: 1 }), { maxLength: 6 }),
        async (pieces) => {
          const texts = pieces.map((each) => each.join(""));
          const head = headBytes("HTTP/1.1 200 OK", [...html, ["Transfer-Encoding", "chunked"]]);
          const seen = await world.see("gate", { host, answer: [head, ...texts.map(chunk), chunked()] }, "session");
          const body = seen.answer?.isWhole ? seen.answer.body.toString("latin1") : "cut";
          expect(body.replace(attributesOf(seen), "")).toBe(texts.join(""));
        },
      ),
      { numRuns: 200 },
    );
  });
}
