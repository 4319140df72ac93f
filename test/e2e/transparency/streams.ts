/** Bytes pass as they come, in both directions, and whoever goes away is let go. */
import { describe, expect, test } from "vitest";
import { openConnection, type RawConnection, readAnswer, readAnswerHead } from "../raw-client.ts";
import { chunk, concatenate, headBytes, readBody, valuesOf } from "../raw-message.ts";
import type { Incoming } from "../raw-origin.ts";
import { type Asker, askers, type Exchange, hosts, ok, type Way, type World } from "./world.ts";

export function describeStreams(world: World): void {
  const workers: readonly Way[] = ["bare", "gate"];
  const ways = workers.flatMap((way) => askers.map((asker) => [way, asker] as const));

  /** The next request at the origin, which the test answers by hand and ends with `done`. */
  function nextIncoming(): Promise<Incoming & { done: () => void }> {
    return new Promise((settle) => {
      world.origin.answerWith(
        (incoming) =>
          new Promise<void>((done) => {
            settle({ ...incoming, done });
          }),
      );
    });
  }

  async function ask(way: Way, asker: Asker, exchange: Exchange): Promise<RawConnection> {
    const connection = await openConnection(world.urls[way]);
    connection.write(world.requestBytes(exchange, asker));
    return connection;
  }

  async function expectServing(): Promise<void> {
    for (const asker of askers) {
      const { answer } = await world.see("gate", {}, asker);
      expect(answer).toMatchObject({ status: 200, isWhole: true });
    }
  }

  async function firstOf(chunks: AsyncIterable<Buffer>): Promise<string | undefined> {
    const { value } = await chunks[Symbol.asyncIterator]().next();
    return value?.toString();
  }

  describe.for(ways)("%s, %s", ([way, asker]) => {
    test("the origin sees a body's first bytes before the last are sent", async () => {
      const framings = [
        { headers: [["Content-Length", "9"]] as const, frame: (text: string) => text, end: "" },
        { headers: [["Transfer-Encoding", "chunked"]] as const, frame: chunk, end: "0\r\n\r\n" },
      ];
      for (const { headers, frame, end } of framings) {
        const incoming = nextIncoming();
        const client = await ask(way, asker, { method: "POST", headers });
        client.write(frame("first"));
        const { chunks, write, done } = await incoming;
        expect(await firstOf(chunks)).toBe("first");
        client.write(frame("last"));
        client.write(end);
        expect((await concatenate(chunks)).toString()).toBe("last");
        for (const bytes of ok) if (typeof bytes !== "symbol") write(bytes);
        done();
        expect(await readAnswer(client.reader, "POST")).toMatchObject({ status: 200, isWhole: true });
        client.abandon();
      }
    });

    test("the client sees an answer's first bytes before the last are sent", async () => {
      const framings = [
        { headers: [["Transfer-Encoding", "chunked"]] as const, frame: chunk, end: "0\r\n\r\n" },
        { headers: [] as const, frame: (text: string) => text, end: null },
        { headers: [["Content-Length", "33"]] as const, frame: (text: string) => text, end: "" },
      ];
      for (const { headers, frame, end } of framings) {
        const incoming = nextIncoming();
        const client = await ask(way, asker, { headers: [["Accept", "text/event-stream"]] });
        const { write, socket, done } = await incoming;
        write(headBytes("HTTP/1.1 200 OK", [["Content-Type", "text/event-stream"], ...headers]));
        const { framing, length, status } = await readAnswerHead(client.reader, "GET");
        expect(status).toBe(200);
        const chunks = readBody(client.reader, framing, length);
        for (const event of ["data: the one\n\n", "data: the second\n\n"]) {
          write(frame(event));
          const { value } = await chunks.next();
          expect(value?.toString()).toBe(event);
        }
        if (end === null) socket.end();
        else write(end);
        expect(await chunks.next()).toMatchObject({ done: true });
        done();
        client.abandon();
      }
    });

    test("an answer may come before the request is whole", async () => {
      const incoming = nextIncoming();
      const client = await ask(way, asker, { method: "POST", headers: [["Content-Length", "1000000"]] });
      client.write("first");
      const { write, chunks, done } = await incoming;
      expect(await firstOf(chunks)).toBe("first");
      write(headBytes("HTTP/1.1 413 Too Large", [["Content-Length", "2"]]));
      write("no");
      expect(await readAnswer(client.reader, "POST")).toMatchObject({ status: 413, isWhole: true });
      client.abandon();
      done();
    });

    test("1xx before the answer are passed over, 100 is said by the platform", async () => {
      for (const early of ["100 Continue", "102 Processing", "103 Early Hints"]) {
        const answer = [headBytes(`HTTP/1.1 ${early}`, [["Link", "</a>"]]), ...ok];
        const seen = await world.see(way, { answer }, asker);
        expect(seen.answer).toMatchObject({ status: 200, informational: [], body: Buffer.from("ok") });
      }
      world.origin.answer(...ok);
      const headers = [["Expect", "100-continue"] as const, ["Content-Length", "4"] as const];
      const client = await ask(way, asker, { method: "POST", headers });
      expect((await client.reader.readHead())?.line).toBe("HTTP/1.1 100 Continue");
      client.write("body");
      expect(await readAnswer(client.reader, "POST")).toMatchObject({ status: 200, informational: [] });
      const [received] = world.origin.takeReceived();
      expect(received?.body.toString()).toBe("body");
      client.abandon();
    });

    test("a client that goes away lets go of the origin", async () => {
      // While it waits for the answer. A mere close may be half of one (the platform waits on), a reset may not.
      let incoming = nextIncoming();
      let client = await ask(way, asker, {});
      let origin = await incoming;
      client.socket.resetAndDestroy();
      await origin.gone;
      origin.done();
      // In the midst of an answer without end.
      incoming = nextIncoming();
      client = await ask(way, asker, {});
      origin = await incoming;
      origin.write(headBytes("HTTP/1.1 200 OK", [["Transfer-Encoding", "chunked"]]));
      origin.write(chunk("first"));
      await readAnswerHead(client.reader, "GET");
      client.abandon();
      const { write, gone, done } = origin;
      const ticking = setInterval(() => write(chunk("more")), 5);
      await gone;
      clearInterval(ticking);
      done();
      // In the midst of the request.
      incoming = nextIncoming();
      client = await ask(way, asker, { method: "POST", headers: [["Content-Length", "99"]] });
      client.write("first");
      origin = await incoming;
      expect(await firstOf(origin.chunks)).toBe("first");
      client.abandon();
      await origin.gone;
      origin.done();
      await expectServing();
    });
  });

  test("requests on one connection, and many at a time, keep to themselves", async () => {
    world.origin.answerWith(async ({ head, body, write }) => {
      const said = `${head.line} ${(await body()).toString()}`;
      write(headBytes("HTTP/1.1 200 OK", [["Content-Length", String(said.length)]]));
      write(said);
    });
    const bodies = Array.from({ length: 8 }, (_, index) => String(index).repeat(index * 500));
    const run = async (asker: Asker, serial: number) => {
      const client = await openConnection(world.urls.gate);
      for (const [index, body] of bodies.entries()) {
        const headers = [["Content-Length", String(body.length)] as const];
        const target = `/${serial}/${index}`;
        client.write(world.requestBytes({ method: "POST", target, headers }, asker));
        client.write(body);
        const answer = await readAnswer(client.reader, "POST");
        expect(answer.body.toString()).toBe(`POST ${target} HTTP/1.1 ${body}`);
      }
      client.abandon();
    };
    await Promise.all(Array.from({ length: 6 }, () => askers).flatMap((each) => each.map(run)));
  });

  describe("an origin that cannot be asked", () => {
    async function expectPage(exchange: Exchange): Promise<void> {
      for (const asker of askers) {
        const { answer } = await world.see("gate", exchange, asker);
        expect(answer).toMatchObject({ status: 502, isWhole: true });
        if (!answer) continue;
        expect(valuesOf(answer.head, "set-cookie")).toEqual([]);
        expect(valuesOf(answer.head, "cache-control")).toEqual(["no-store"]);
        const text = answer.body.toString();
        expect(text.length).toBeLessThan(1024);
        expect(text).toContain("did not respond");
        expect(text).not.toMatch(/Error|stack|\bat \w|127\.0\.0\.1|\.js|experiment/);
      }
    }

    test("refuses connections: a small page of ours", async () => {
      await expectPage({ host: hosts.refused });
      await expectPage({ host: hosts.refused, method: "POST", headers: [["Content-Length", "3"]], body: "a=b" });
      await expectServing();
    });

    test("goes without answering, or answers nonsense: the same page", async () => {
      world.origin.answerWith(({ socket }) => void socket.destroy());
      for (const behaviour of ["destroy", "reset", "end"] as const) {
        world.origin.answerWith(async ({ socket, body }) => {
          await body();
          if (behaviour === "reset") socket.resetAndDestroy();
          else socket[behaviour]();
        });
        for (const asker of askers) {
          const client = await ask("gate", asker, {});
          expect(await readAnswer(client.reader, "GET")).toMatchObject({ status: 502, isWhole: true });
          client.abandon();
        }
      }
      const long = `X-Long: ${"x".repeat(2 ** 20)}`;
      for (const nonsense of [
        "what?\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "\0\0\0\0",
        `HTTP/1.1 200 OK\r\n${long}\r\n\r\n`,
      ]) {
        world.origin.answerWith(({ socket }) => void socket.end(nonsense));
        const client = await ask("gate", "document", {});
        expect(await readAnswer(client.reader, "GET")).toMatchObject({ status: 502, isWhole: true });
        client.abandon();
      }
      await expectServing();
    });
  });
}
