/** WebSockets pass from end to end: the handshake, messages both ways, and how it ends. */
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openConnection, type RawConnection, readAnswer, readAnswerHead } from "../raw-client.ts";
import { acceptOf, closing, encodeFrame, type Frame, opcodes, readFrame } from "../raw-frames.ts";
import { CutShortError, type Head, headBytes, valuesOf } from "../raw-message.ts";
import type { Incoming } from "../raw-origin.ts";
import { type HeaderLines, userAgent, type Way, type World } from "./world.ts";

export function describeSockets(world: World): void {
  interface Ends {
    client: RawConnection;
    origin: Incoming;
    answered: Head;
    send(from: "client" | "origin", opcode: number, payload: Buffer | string, isFinal?: boolean): void;
    receive(at: "client" | "origin"): Promise<Frame>;
    release(): void;
  }

  const handshake = (extra: HeaderLines): Buffer =>
    headBytes("GET /socket?a=%zz HTTP/1.1", [
      ["Host", "login.test"],
      ["User-Agent", userAgent],
      ["Connection", "keep-alive, Upgrade"],
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", randomBytes(16).toString("base64")],
      ["Sec-Fetch-Dest", "empty"],
      ["Sec-Fetch-Mode", "websocket"],
      ["Origin", "https://login.test"],
      ["Cookie", "a=b"],
      ...extra,
    ]);

  async function open(way: Way, asked: HeaderLines = [], answer: HeaderLines = []): Promise<Ends> {
    let release = () => {};
    const arrived = new Promise<Incoming>((settle) => {
      world.origin.answerWith((incoming) => {
        settle(incoming);
        return new Promise<void>((done) => {
          release = done;
        });
      });
    });
    const client = await openConnection(world.urls[way]);
    client.write(handshake(asked));
    const origin = await arrived;
    const accept = acceptOf(valuesOf(origin.head, "sec-websocket-key")[0] ?? "");
    const lines = [
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
      ["Sec-WebSocket-Accept", accept],
    ] as const;
    origin.write(headBytes("HTTP/1.1 101 Switching Protocols", [...lines, ...answer]));
    const { head, status } = await readAnswerHead(client.reader, "GET");
    expect(status).toBe(101);
    return {
      client,
      origin,
      answered: head,
      send(from, opcode, payload, isFinal = true) {
        const frame = encodeFrame(opcode, Buffer.from(payload), { masked: from === "client", isFinal });
        if (from === "client") client.write(frame);
        else origin.write(frame);
      },
      receive: (at) => readFrame(at === "client" ? client.reader : origin.reader),
      release() {
        client.abandon();
        origin.socket.destroy();
        release();
      },
    };
  }

  const whole = (opcode: number, payload: Buffer | string): Frame => ({
    opcode,
    isFinal: true,
    payload: Buffer.from(payload),
  });
  const directions = [
    ["client", "origin"],
    ["origin", "client"],
  ] as const;

  /** The handshake's lines in which neither keys nor our additions differ. */
  function comparable({ line, headers }: Head): string[] {
    const differs = /^(?:sec-websocket-(?:key|accept)|x-forwarded-(?:host|port|proto))$/i;
    return [line, ...headers.filter(([name]) => !differs.test(name)).map((each) => each.join(": "))];
  }

  describe("the handshake", () => {
    test("is the one of a bare Worker", async () => {
      const asked: HeaderLines = [
        ["Sec-WebSocket-Protocol", "chat, superchat"],
        ["Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"],
        ["X-Experiment-Id", "exp_Forged"],
      ];
      const answer: HeaderLines = [
        ["Sec-WebSocket-Protocol", "chat"],
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"],
      ];
      const bare = await open("bare", asked.slice(0, 2), answer);
      const gate = await open("gate", asked, answer);
      expect(comparable(gate.origin.head)).toEqual(comparable(bare.origin.head));
      expect(comparable(gate.answered)).toEqual(comparable(bare.answered));
      expect(valuesOf(gate.origin.head, "x-forwarded-host")).toEqual(["login.test"]);
      expect(valuesOf(gate.origin.head, "upgrade")).toEqual(["websocket"]);
      expect(valuesOf(gate.answered, "sec-websocket-protocol")).toEqual(["chat"]);
      expect(valuesOf(gate.answered, "set-cookie")).toEqual(["a=1", "b=2"]);
      bare.release();
      gate.release();
    });

    test("may be refused", async () => {
      for (const way of ["direct", "bare", "gate"] as const) {
        world.origin.answer(
          headBytes("HTTP/1.1 403 No", [
            ["Content-Length", "2"],
            ["X-Why", "origin"],
          ]),
          "no",
        );
        const client = await openConnection(world.urls[way]);
        client.write(handshake([]));
        const answer = await readAnswer(client.reader, "GET");
        expect(answer).toMatchObject({ status: 403, body: Buffer.from("no"), isWhole: true });
        expect(valuesOf(answer.head, "x-why")).toEqual(["origin"]);
        client.abandon();
      }
    });
  });

  describe.for(["bare", "gate"] as const)("%s", (way) => {
    test.for(directions)("messages from %s to %s", async ([from, to]) => {
      const ends = await open(way);
      const texts = ["hello", "", "caf\u00e9 \u2603 \u{1f600}", "x".repeat(70_000)];
      for (const text of texts) {
        ends.send(from, opcodes.text, text);
        expect(await ends.receive(to)).toEqual(whole(opcodes.text, text));
      }
      for (const bytes of [Buffer.alloc(0), randomBytes(125), randomBytes(126), randomBytes(65_536)]) {
        ends.send(from, opcodes.binary, bytes);
        expect(await ends.receive(to)).toEqual(whole(opcodes.binary, bytes));
      }
      // Fragments are not put together, and what the ends say to keep the connection alive is theirs.
      ends.send(from, opcodes.text, "frag", false);
      expect(await ends.receive(to)).toEqual({ ...whole(opcodes.text, "frag"), isFinal: false });
      ends.send(from, opcodes.ping, "p");
      expect(await ends.receive(to)).toEqual(whole(opcodes.ping, "p"));
      ends.send(to, opcodes.pong, "p");
      expect(await ends.receive(from)).toEqual(whole(opcodes.pong, "p"));
      ends.send(from, opcodes.continuation, "ments");
      expect(await ends.receive(to)).toEqual(whole(opcodes.continuation, "ments"));
      ends.release();
    });

    test.for(directions)("%s closes, %s is told why", async ([from, to]) => {
      for (const [code, reason] of [
        [1000, "done"],
        [1001, ""],
        [3000, "caf\u00e9"],
        [4999, "own"],
      ] as const) {
        const ends = await open(way);
        ends.send(from, opcodes.close, closing(code, reason));
        expect(await ends.receive(to)).toEqual(whole(opcodes.close, closing(code, reason)));
        ends.send(to, opcodes.close, closing(code, reason));
        expect(await ends.receive(from)).toMatchObject({ opcode: opcodes.close });
        ends.release();
      }
    });

    test.for(directions)("%s goes away, %s is let go", async ([from, to]) => {
      const ends = await open(way);
      ends.send(from, opcodes.text, "last words");
      expect(await ends.receive(to)).toEqual(whole(opcodes.text, "last words"));
      if (from === "client") ends.client.abandon();
      else ends.origin.socket.destroy();
      // The end of the connection, with or without a close frame before it.
      const end = await ends.receive(to).catch((error: unknown) => error);
      if (!(end instanceof CutShortError)) expect(end).toMatchObject({ opcode: opcodes.close });
      await (to === "client" ? ends.client.reader.ended : ends.origin.gone);
      ends.release();
    });
  });
}
